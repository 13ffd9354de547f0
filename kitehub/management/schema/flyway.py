"""Flyway's schema history: found, read, and understood as one claim about the schema."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db.versions import label
from kitehub.management.schema.outcome import Refused

# Newest first: Flyway 5 renamed it.
TABLES = ("flyway_schema_history", "schema_version")
_COLUMNS = ("installed_rank", "version", "description", "type", "script", "success")

_MARKERS = {"SCHEMA"}
_APPLIES = {"SQL", "JDBC", "SPRING_JDBC", "SCRIPT", "CUSTOM"}
_BASELINES = {"BASELINE", *(f"{kind}_BASELINE" for kind in _APPLIES)}
_UNDOES = {f"UNDO_{kind}" for kind in _APPLIES}
# Flyway takes 2, 2.0 and 02 for one version.
_WHOLE = re.compile(r"0*(\d+?)(?:[._]0+)*")


@dataclass(frozen=True)
class Row:
    """A row of the history. A repeatable migration has no version."""

    rank: int
    version: str | None
    description: str
    type: str
    script: str
    success: bool

    def __str__(self) -> str:
        what = f"V{self.version}" if self.version else self.description
        return f"row {self.rank} ({what}, {self.script})"


@dataclass(frozen=True)
class Claim:
    """The version that a history says the schema has, and the repeatable migrations beside it."""

    version: int
    repeatable: tuple[str, ...]


def find(connection: BaseDatabaseWrapper, table: str | None = None) -> str | None:
    """The name of Flyway's history in the connection's schema, or None if it isn't there."""
    with connection.cursor() as cursor:
        for name in [table] if table else TABLES:
            cursor.execute(
                "SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename = %s",
                [name],
            )
            if cursor.rowcount:
                return name
    return None


def read(connection: BaseDatabaseWrapper, table: str) -> list[Row]:
    """Reads a history in the order that things happened; raises Refused if it isn't one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = %s",
            [table],
        )
        absent = set(_COLUMNS) - {name for (name,) in cursor.fetchall()}
        if absent:
            raise Refused(
                f"The table {table} is not a history of Flyway's: it has no column "
                f"{', '.join(sorted(absent))}."
            )
        cursor.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM {connection.ops.quote_name(table)}"  # noqa: S608
            " ORDER BY installed_rank"
        )
        return [Row(*row) for row in cursor.fetchall()]


def claim(rows: Sequence[Row], plan: Collection[int]) -> Claim:
    """What a history says: all versions of the plan up to one of them, each once and in order.

    Raises Refused with every reason why it doesn't say that.
    """
    history = _History(plan)
    for row in rows:
        history.take(row)
    if not rows:
        raise Refused("Flyway's history is empty, so it doesn't say what the schema is.")
    if not history.problems and not any(history.reached):
        history.problems.append("no version is recorded as applied")
    if history.problems:
        raise Refused("Flyway's history can't be taken over.", history.problems)
    return Claim(history.reached[-1], tuple(history.repeatable))


class _History:
    """Goes through the rows, keeping the versions that are applied and what is wrong."""

    def __init__(self, plan: Collection[int]) -> None:
        self.plan = plan
        self.reached: list[int] = []
        self.repeatable: list[str] = []
        self.problems: list[str] = []

    def take(self, row: Row) -> None:
        kind = row.type.upper()
        if not row.success:
            self.problems.append(f"{row} failed; run `flyway repair` and mend what it left")
        elif kind in _MARKERS:
            return
        elif kind not in _APPLIES | _BASELINES | _UNDOES:
            self.problems.append(f"{row} has the type {row.type}, which says nothing of the schema")
        elif row.version is None:
            self.repeatable.append(row.description)
        elif (number := _number(row.version)) is None or number not in self._known(kind):
            self.problems.append(
                f"{row} is not in the plan, which has {label(min(self.plan))} to "
                f"{label(max(self.plan))}"
            )
        elif kind in _BASELINES:
            self._start_at(number, row)
        elif kind in _UNDOES:
            self._undo(number, row)
        else:
            self._apply(number, row)

    def _known(self, kind: str) -> set[int]:
        # `flyway baseline -baselineVersion=0` means: nothing of the plan yet.
        return {0, *self.plan} if kind in _BASELINES else set(self.plan)

    def _start_at(self, number: int, row: Row) -> None:
        if self.reached:
            self.problems.append(f"{row} is a baseline after {label(self.reached[-1])}")
        self.reached = list(range(number + 1))

    def _undo(self, number: int, row: Row) -> None:
        if self.reached and self.reached[-1] == number:
            self.reached.pop()
        else:
            self.problems.append(f"{row} undoes a version that was not the last")

    def _apply(self, number: int, row: Row) -> None:
        last = self.reached[-1] if self.reached else 0
        if number in self.reached:
            self.problems.append(f"{row} applies {label(number)} once more")
        elif number < last:
            self.problems.append(f"{row} is out of order: {label(last)} was applied before it")
        elif number > last + 1:
            gap = ", ".join(map(label, range(last + 1, number)))
            self.problems.append(
                f"{row} leaves a gap: {gap} {_were(number - last - 1)} not applied"
            )
        self.reached.append(number)
        self.reached.sort()


def _number(version: str) -> int | None:
    whole = _WHOLE.fullmatch(version.strip())
    return int(whole[1]) if whole else None


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
