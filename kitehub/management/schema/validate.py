"""`schema validate`: the live schema against what the applied migrations make."""

from collections.abc import Iterable
from dataclasses import dataclass

from kitehub.db import catalog, scratch
from kitehub.db.catalog import Catalog, Change, Drift, Key
from kitehub.db.versions import MigrationKey
from kitehub.management.schema.live import Live
from kitehub.management.schema.obstacles import refuse_untaken

# Django's own records: there as soon as anything asked for them.
RECORDS = Key("table", "django_migrations", "")


@dataclass(frozen=True)
class Validation:
    """What differs. `compared` is the number of things that the migrations make."""

    drifts: tuple[Drift, ...]
    unknown: tuple[MigrationKey, ...]
    compared: int

    @property
    def clean(self) -> bool:
        """Whether the schema is what the applied migrations make."""
        return not self.drifts and not self.unknown

    @property
    def lines(self) -> list[str]:
        """Each difference in a line."""
        strangers = [
            f"migration {'.'.join(key)} is recorded, but not in the code" for key in self.unknown
        ]
        return [*strangers, *map(str, self.drifts)]


def validate(live: Live) -> Validation:
    """Compares the schema with a scratch schema that the recorded migrations made.

    Raises Refused where Flyway built the schema and `baseline` hasn't taken it over.
    """
    refuse_untaken(live)
    expected, everything = scratch.catalogs(live.connection, live.recorded, live.versions.order)
    drifts = differences(expected, catalog.read(live.connection), reserved=everything)
    return Validation(tuple(drifts), live.unknown, len(expected))


def differences(expected: Catalog, actual: Catalog, *, reserved: Iterable[Key]) -> list[Drift]:
    """What differs in the things that migrations make, or would make under a `reserved` key.

    Tables, functions and types that no migration makes are somebody else's; what is added to a
    table of ours is not.
    """
    names = {*reserved} - {RECORDS}
    return [
        drift
        for drift in catalog.diff(expected, actual)
        if drift.change != Change.EXTRA or drift.key.free in expected or drift.key in names
    ]
