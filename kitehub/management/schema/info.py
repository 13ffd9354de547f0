"""`schema info`: every version, what it is about, and when it was applied."""

from dataclasses import dataclass
from datetime import datetime

from kitehub.db.versions import MigrationKey, label
from kitehub.management.schema import flyway
from kitehub.management.schema.live import Live

APPLIED = "applied"
PARTLY = "partly"
PENDING = "pending"


@dataclass(frozen=True)
class Row:
    """One version. `applied_at` is when the last of its migrations ran, in UTC."""

    number: int
    description: str
    applied: tuple[MigrationKey, ...]
    pending: tuple[MigrationKey, ...]
    applied_at: datetime | None

    @property
    def state(self) -> str:
        """One of the three constants above."""
        if not self.pending:
            return APPLIED
        return PARTLY if self.applied else PENDING


@dataclass(frozen=True)
class Info:
    """The versions in order, and what is at odds with them.

    `unknown` are migrations that the database has and the code hasn't; `flyway_table` is the
    history that Flyway left where nothing of ours is recorded yet.
    """

    rows: tuple[Row, ...]
    unknown: tuple[MigrationKey, ...]
    flyway_table: str | None

    @property
    def current(self) -> str | None:
        """The last version that is there with all before it; None if there is none.

        V0 doesn't count against a later version: after `baseline` some of it is still pending.
        """
        reached = None
        for row in self.rows:
            if row.state == APPLIED:
                reached = label(row.number)
            elif row.number:
                break
        return reached

    @property
    def pending(self) -> list[str]:
        """The versions that `migrate` would make or complete."""
        return [label(row.number) for row in self.rows if row.state != APPLIED]


def info(live: Live) -> Info:
    """Says what is applied; reads only the records, and writes nothing."""
    rows = []
    for step in live.versions.steps:
        applied = step.applied(live.recorded)
        moments = [moment for key in applied if (moment := live.recorded[key])]
        rows.append(
            Row(
                number=step.number,
                description=step.description,
                applied=applied,
                pending=tuple(key for key in step.migrations if key not in live.recorded),
                applied_at=max(moments, default=None),
            )
        )
    table = None if live.planned else flyway.find(live.connection)
    return Info(rows=tuple(rows), unknown=live.unknown, flyway_table=table)
