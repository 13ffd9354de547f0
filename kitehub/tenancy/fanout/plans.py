"""What a silo lacks, worked out once for all silos that have the same migrations applied."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import ProgrammingError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState, StateApps
from psycopg.errors import UndefinedTable

from kitehub.db.versions import MigrationKey
from kitehub.tenancy.fanout import recording
from kitehub.tenancy.placement import POOL

# Django's model states are made for one thread: fields get their identity from a counter that two
# threads can read at once, and operations are shared by all who run them.
STATES = threading.RLock()


class Way(StrEnum):
    """How a step is done: its SQL sent, Django's own executor, or nothing but its record."""

    SQL = "sql"
    DJANGO = "django"
    RECORD = "record"


@dataclass(frozen=True)
class Step:
    """A migration to do in one transaction of its own, or several that need only be recorded.

    `rows` are what is recorded of it; a squashed migration is recorded as those that it replaces.
    `why` says what keeps a migration from being sent as SQL.
    """

    way: Way
    migrations: tuple[MigrationKey, ...]
    rows: tuple[MigrationKey, ...]
    sql: str = ""
    why: str = ""
    migration: Migration | None = None
    before: ProjectState | None = None
    changes_state: bool = True

    def run(self, connection: BaseDatabaseWrapper) -> None:
        """Does it, whole or not at all; the connection is of no use after an error."""
        if self.way is not Way.DJANGO:
            with connection.cursor() as cursor:
                # Without parameters, so that % means itself and all goes in one round trip.
                cursor.execute(self.sql)
            return
        assert self.migration is not None  # noqa: S101 - what this way is made of
        assert self.before is not None  # noqa: S101
        alone: AbstractContextManager[Any] = STATES if self.changes_state else nullcontext()
        with alone, connections[POOL].execute_wrapper(_refuse_pool):
            executor = _Executor(connection, None)
            executor.apply_migration(self.before.clone(), self.migration)


@dataclass(frozen=True)
class Plan:
    """The steps to the newest migration. `apps` are the models as they are then."""

    steps: tuple[Step, ...]
    apps: StateApps | None = None
    forwards: tuple[tuple[Migration, bool], ...] = ()

    @property
    def migrations(self) -> tuple[MigrationKey, ...]:
        """What the steps do, in order."""
        return tuple(key for step in self.steps for key in step.migrations)


class Plans:
    """The plans that silos have needed so far; threads share it."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, frozenset[MigrationKey]], Plan] = {}

    def of(self, connection: BaseDatabaseWrapper, have: frozenset[MigrationKey]) -> Plan:
        """The plan of a silo that has these migrations; `connection` is the silo's.

        Raises Django's errors about a history that can't be, ImproperlyConfigured where branches of
        migrations were never merged.
        """
        pg_version: int = connection.pg_version  # type: ignore[attr-defined]
        # Django's SQL may differ from one major version to the next.
        key = pg_version // 10_000, have
        with STATES:
            if key not in self._made:
                self._made[key] = _plan(connection, have)
            return self._made[key]


def applied(connection: BaseDatabaseWrapper) -> frozenset[MigrationKey] | None:
    """The migrations that a database has recorded, in one query; None without a table of them."""
    table = MigrationRecorder.Migration._meta.db_table
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"SELECT app, name FROM {table}")  # noqa: S608
        except ProgrammingError as error:
            if getattr(error.__cause__, "sqlstate", None) != UndefinedTable.sqlstate:
                raise
            return None
        return frozenset(cursor.fetchall())


def loader_with(have: Iterable[MigrationKey]) -> MigrationLoader:
    """The code's migrations, of which these are applied; no database is asked."""
    return _Loader(have)


def _plan(connection: BaseDatabaseWrapper, have: frozenset[MigrationKey]) -> Plan:
    loader = _Loader(have)
    if conflicts := loader.detect_conflicts():
        raise ImproperlyConfigured(
            f"Migrations of {', '.join(sorted(conflicts))} branch and were never merged; run "
            "`manage.py makemigrations --merge`."
        )
    loader.check_consistent_history(connection)
    executor = _Executor(connection, loader)
    forwards = executor.migration_plan(loader.graph.leaf_nodes())
    if not forwards:
        return Plan(tuple(_merged(_replacements(loader, have))))
    # A private method, which the stubs leave out.
    make_state: Any = executor._create_project_state  # type: ignore[attr-defined]
    state: ProjectState = make_state(with_applied_migrations=True)
    _ = state.apps  # rendered once; every state after this one builds on it
    steps = []
    for migration, _backwards in forwards:
        step, state = _step(migration, state, connection)
        steps.append(step)
    recorded = have.union(*(step.rows for step in steps))
    steps.extend(_replacements(loader, recorded))
    return Plan(tuple(_merged(steps)), state.apps, tuple(forwards))


def _step(
    migration: Migration, before: ProjectState, connection: BaseDatabaseWrapper
) -> tuple[Step, ProjectState]:
    """A migration's step, and the state after it."""
    key = (migration.app_label, migration.name)
    rows = tuple(migration.replaces) or (key,)
    if not recording.concerns(connection.alias, migration):
        after = migration.mutate_state(before, preserve=True)
        return _recorded([key], rows), after
    try:
        recording.require_sound(migration)
        after = before.clone()
        statements = recording.record(migration, after, connection)
    except recording.NotSound as reason:
        after = migration.mutate_state(before, preserve=True)
        changed = before != after
        _ = after.apps
        return Step(
            Way.DJANGO,
            (key,),
            rows,
            why=str(reason),
            migration=migration,
            before=before,
            changes_state=changed,
        ), after
    if not statements:
        return _recorded([key], rows), after
    return Step(Way.SQL, (key,), rows, sql=_transaction(*statements, _insert(rows))), after


def _recorded(keys: Iterable[MigrationKey], rows: Iterable[MigrationKey]) -> Step:
    rows = tuple(rows)
    return Step(Way.RECORD, tuple(keys), rows, sql=_insert(rows))


def _replacements(loader: MigrationLoader, have: Iterable[MigrationKey]) -> Iterator[Step]:
    """Squashed migrations that are done because all they replace is."""
    have = frozenset(have)
    for key, migration in loader.replacements.items():
        if key not in have and have.issuperset(migration.replaces):
            yield _recorded([key], [key])


def _merged(steps: Iterable[Step]) -> list[Step]:
    """Steps, with neighbours that are only recorded as one."""
    found: list[Step] = []
    for step in steps:
        if found and found[-1].way is step.way is Way.RECORD:
            rows = found[-1].rows + step.rows
            found[-1] = replace(
                found[-1],
                migrations=found[-1].migrations + step.migrations,
                rows=rows,
                sql=_insert(rows),
            )
        else:
            found.append(step)
    return found


def _transaction(*statements: str) -> str:
    # A statement may end in a comment, which only a new line ends.
    return "\n;\n".join(["BEGIN", *statements, "COMMIT"])


def _insert(rows: Iterable[MigrationKey]) -> str:
    table = MigrationRecorder.Migration._meta.db_table
    values = ", ".join(f"({_text(app)}, {_text(name)}, now())" for app, name in rows)
    return f"INSERT INTO {table} (app, name, applied) VALUES {values}"  # noqa: S608


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _refuse_pool(execute: Any, sql: Any, *args: Any) -> Any:
    raise ImproperlyConfigured(
        "A data migration reaches for the platform's database while it runs for a silo. It must "
        "say .using(schema_editor.connection.alias)."
    )


class _Loader(MigrationLoader):
    """Django's loader, which is told what is applied instead of asking a database."""

    def __init__(self, recorded: Iterable[MigrationKey]) -> None:
        self._recorded: dict[MigrationKey, Any] = dict.fromkeys(recorded)
        super().__init__(None)

    @property
    def applied_migrations(self) -> dict[MigrationKey, Any]:
        return self._recorded

    @applied_migrations.setter
    def applied_migrations(self, found: dict[MigrationKey, Any]) -> None:
        """Ignores that without a connection Django finds none."""


class _Executor(MigrationExecutor):
    """Django's executor, with a loader that many share."""

    def __init__(self, connection: BaseDatabaseWrapper, loader: MigrationLoader | None) -> None:
        self.connection = connection
        self.loader = loader  # type: ignore[assignment]  # applying one migration needs none
        self.recorder = MigrationRecorder(connection)
        self.progress_callback = None
