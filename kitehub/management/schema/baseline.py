"""`schema baseline`: takes over a database that the plan's own SQL built, as Flyway ran it."""

from dataclasses import dataclass
from typing import Self

from django.db import transaction
from django.db.migrations.executor import MigrationExecutor

from kitehub.db import catalog, scratch
from kitehub.db.catalog import Catalog
from kitehub.db.versions import PLAN, MigrationKey, label
from kitehub.management.schema import flyway
from kitehub.management.schema.live import Live
from kitehub.management.schema.outcome import Refused, WrongVersion
from kitehub.management.schema.validate import differences


@dataclass(frozen=True)
class Baseline:
    """A database that was taken over, or would be.

    `run` are the migrations whose tables weren't there: people and Django's own. `recorded` are
    the plan's, noted as applied. `table` is Flyway's history, if there is one, and `repeatable`
    the migrations in it that no version covers.
    """

    version: int
    table: str | None
    repeatable: tuple[str, ...]
    run: tuple[MigrationKey, ...]
    recorded: tuple[MigrationKey, ...]


def baseline(
    live: Live, *, at: int | None = None, table: str | None = None, dry_run: bool = False
) -> Baseline:
    """Records the plan's versions as applied, once the schema is exactly what they make.

    Which versions those are, Flyway's history says, or `at` where there is none. No row of the
    plan's tables is touched; all is done in one transaction, or nothing. Raises Refused with each
    reason why the database can't be taken over as it is.
    """
    if at is not None and at not in PLAN:
        raise WrongVersion(
            f"The plan has {label(min(PLAN))} to {label(max(PLAN))}; {label(at)} can't be the "
            "version of a database that its SQL built."
        )
    if live.planned:
        newest = label(max(live.versions.of[key] for key in live.planned))
        raise Refused(
            f"KiteHub's migrations are recorded in this database already, up to {newest}."
        )
    with transaction.atomic(using=live.connection.alias):
        name, claim = _claimed(live, at, table, lock=not dry_run)
        planned = tuple(key for key in live.versions.up_to(claim.version) if live.versions.of[key])
        foundation = set(live.versions.needed_by(planned)) - set(planned)
        run = tuple(
            key for key in live.versions.order if key in foundation and key not in live.recorded
        )
        made = _Made.by_migrations(live, planned, foundation)
        _compare(live, made.before, made, f"The schema is not what {label(claim.version)} makes")
        if not dry_run:
            executor = MigrationExecutor(live.connection)
            executor.migrate([], plan=[(live.versions.migration(key), False) for key in run])
            executor.recorder.ensure_schema()
            for app, migration in planned:
                executor.recorder.record_applied(app, migration)
            # What stood in the way of the new tables shows only now; it undoes all of this.
            _compare(live, made.after, made, "People's and Django's tables can't be made here")
    return Baseline(claim.version, name, claim.repeatable, run, planned)


@dataclass(frozen=True)
class _Made:
    """The schema that there must be `before` and `after`, and `everything` that will ever be."""

    before: Catalog
    after: Catalog
    everything: Catalog

    @classmethod
    def by_migrations(
        cls, live: Live, planned: tuple[MigrationKey, ...], foundation: set[MigrationKey]
    ) -> Self:
        there = frozenset(live.recorded)
        below = there | foundation
        recorded, base, after, everything = scratch.catalogs(
            live.connection, there, below, below.union(planned), below.union(live.versions.order)
        )
        return cls(recorded | after.without(base), after, everything)


def _compare(live: Live, expected: Catalog, made: _Made, complaint: str) -> None:
    """Raises Refused, with each difference, unless the schema is what is expected."""
    found = differences(expected, catalog.read(live.connection), reserved=made.everything)
    if found:
        count = f"{len(found)} difference{'s' * (len(found) != 1)}"
        raise Refused(f"{complaint}: {count}.", found)


def _claimed(
    live: Live, at: int | None, table: str | None, *, lock: bool
) -> tuple[str | None, flyway.Claim]:
    """What the schema is said to be, by Flyway's history or by `at`."""
    found = flyway.find(live.connection, table)
    if found is None:
        if table is not None:
            raise Refused(f"There is no table {table} in the database.")
        if at is None:
            raise Refused(
                f"There is no Flyway history ({' or '.join(flyway.TABLES)}). Name its table with "
                "--table, or the version of the schema with --at."
            )
        return None, flyway.Claim(at, ())
    with live.connection.cursor() as cursor:
        # Flyway would have to wait for this before it writes, so the history holds still.
        if lock:
            cursor.execute(f"LOCK TABLE {live.connection.ops.quote_name(found)} IN SHARE MODE")
    claim = flyway.claim(flyway.read(live.connection, found), PLAN)
    if at not in (None, claim.version):
        raise Refused(f"Flyway's history ({found}) says {label(claim.version)}; leave out --at.")
    return found, claim
