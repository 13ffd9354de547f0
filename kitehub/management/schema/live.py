"""A database as its own records have it: which migrations ran, and when."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader

from kitehub.db import gates, locks
from kitehub.db.versions import MigrationKey, Versions, label
from kitehub.management.schema.outcome import Refused, WrongVersion

LATEST = "latest"


@dataclass(frozen=True)
class Live:
    """The migrations in the code, and which of them a database has.

    `recorded` has the moment of each; it is None where Django inferred it, for a squashed
    migration. `unknown` are recorded and not in the code.
    """

    connection: BaseDatabaseWrapper
    versions: Versions
    recorded: dict[MigrationKey, datetime | None]
    unknown: tuple[MigrationKey, ...]

    @property
    def pending(self) -> tuple[MigrationKey, ...]:
        """What `migrate` would run, in order."""
        return tuple(key for key in self.versions.order if key not in self.recorded)

    @property
    def planned(self) -> tuple[MigrationKey, ...]:
        """What is recorded of V1 and later."""
        return tuple(key for key in self.recorded if self.versions.of[key])

    def version(self, text: str) -> int:
        """The number of a version as people write it; raises WrongVersion if there is none."""
        numbers = [step.number for step in self.versions.steps]
        wanted = text.strip().lower()
        if wanted == LATEST:
            return self.versions.newest
        digits = wanted.removeprefix("v")
        if digits.isdecimal() and int(digits) in numbers:
            return int(digits)
        raise WrongVersion(
            f"There is no version {text}. There are {label(numbers[0])} to {label(numbers[-1])}, "
            f"and {LATEST}."
        )


def read(connection: BaseDatabaseWrapper) -> Live:
    """Reads the records of a database; an empty one has none.

    Raises Refused where a migration is recorded whose dependency isn't.
    """
    loader = MigrationLoader(connection)
    try:
        loader.check_consistent_history(connection)
    except InconsistentMigrationHistory as error:
        raise Refused(str(error)) from error
    versions = Versions(loader)
    replaced = {key for squashed in loader.replacements.values() for key in squashed.replaces}
    known = {*loader.disk_migrations, *replaced}
    return Live(
        connection=connection,
        versions=versions,
        recorded={
            key: getattr(loader.applied_migrations[key], "applied", None)
            for key in versions.order
            if key in loader.applied_migrations
        },
        unknown=tuple(sorted(key for key in loader.applied_migrations if key not in known)),
    )


@contextmanager
def alone(connection: BaseDatabaseWrapper, *, lock_timeout: str = locks.PATIENCE) -> Iterator[None]:
    """Keeps a second schema command out of this database; raises Refused if one is running.

    `lock_timeout` is how long the block waits for a table that others use, in PostgreSQL's words.
    """
    with locks.held(connection, locks.SCHEMA) as free:
        if not free:
            raise Refused("Another schema command is at work on this database. Try again later.")
        with locks.patience(connection, lock_timeout), gates.passing(connection):
            yield
