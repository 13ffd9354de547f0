"""What migrations make, seen by running them: in a scratch schema of the live database.

A schema needs no right to create databases, and the same server prints both catalogs. Nobody sees
the scratch schema but its own connection, which sees nothing else.
"""

import logging
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from kitehub.db import catalog, locks
from kitehub.db.catalog import Catalog
from kitehub.db.versions import MigrationKey

logger = logging.getLogger("kitehub.db.scratch")

PREFIX = "kitehub_scratch_"


def catalogs(
    connection: BaseDatabaseWrapper, *stages: Iterable[MigrationKey]
) -> tuple[Catalog, ...]:
    """Returns the catalog that each set of migrations makes from nothing, in the order given.

    Every set must hold what its migrations depend on. The schema of `connection` is neither read
    nor changed. Scratch schemas that a killed run left behind are dropped on the way.
    """
    wanted = [frozenset(stage) for stage in stages]
    made: dict[frozenset[MigrationKey], Catalog] = {}
    rest = sorted(set(wanted), key=len)
    while rest:
        # Sets that contain each other are stages of one schema; others need one of their own.
        chain = rest[:1]
        for stage in rest[1:]:
            if stage > chain[-1]:
                chain.append(stage)
        with _scratch_schema(connection) as scratch:
            for stage in chain:
                _run(scratch, stage)
                made[stage] = catalog.read(scratch)
        rest = [stage for stage in rest if stage not in chain]
    return tuple(made[stage] for stage in wanted)


def _run(scratch: BaseDatabaseWrapper, keys: frozenset[MigrationKey]) -> None:
    """Runs those of the migrations that haven't run yet, in Django's order."""
    with _in_place_of_live(scratch):
        executor = MigrationExecutor(scratch)
        leaves = executor.loader.graph.leaf_nodes()
        plan = [
            (migration, False)
            for migration, _ in executor.migration_plan(leaves, clean_start=True)
            if (key := (migration.app_label, migration.name)) in keys
            and key not in executor.loader.applied_migrations
        ]
        executor.migrate([], plan=plan)


@contextmanager
def _in_place_of_live(scratch: BaseDatabaseWrapper) -> Iterator[None]:
    """Makes this thread's ORM take the scratch schema for the live database.

    Routers then decide as they would for it, and a data migration that forgets `using()` writes
    to the scratch schema.
    """
    alias = scratch.alias
    live = connections[alias]
    connections[alias] = scratch
    try:
        yield
    finally:
        connections[alias] = live


@contextmanager
def _scratch_schema(live: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    """A connection to the same database whose only schema is a new one, dropped at the end."""
    name = f"{PREFIX}{secrets.token_hex(8)}"
    scratch = _connect(live, name)
    try:
        _drop_leftovers(scratch)
        # The lock says that somebody works here; taken before there is anything to drop.
        locks.take(scratch, name)
        with scratch.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {name}")
        try:
            _require_only(scratch, name)
            yield scratch
        finally:
            _drop(scratch, name)
    finally:
        scratch.close()


def _require_only(scratch: BaseDatabaseWrapper, name: str) -> None:
    with scratch.cursor() as cursor:
        cursor.execute("SELECT current_schemas(false)")
        found = cursor.fetchone()[0]
    if found != [name]:
        raise ImproperlyConfigured(
            "The server ignores the search path of a connection, so nothing can be built beside "
            "the live schema. Connect to PostgreSQL itself, not through a pooler."
        )


def _connect(live: BaseDatabaseWrapper, schema: str) -> BaseDatabaseWrapper:
    settings: dict[str, Any] = {**live.settings_dict, "CONN_MAX_AGE": 0}
    options: dict[str, Any] = {**settings.get("OPTIONS", {})}
    options.pop("pool", None)
    # An option of the connection, not a SET: a reconnect must not end up in the live schema.
    options["options"] = f"{options.get('options') or ''} -c search_path={schema}".strip()
    # Not live.__class__, which is a proxy's where `django.db.connection` was passed.
    wrapper = type(connections[live.alias])
    scratch = wrapper({**settings, "OPTIONS": options}, live.alias)
    editor = scratch.SchemaEditorClass
    assert editor is not None  # noqa: S101 - PostgreSQL's wrapper has one
    scratch.SchemaEditorClass = type("ScratchSchemaEditor", (_NotConcurrently, editor), {})
    return scratch


class _NotConcurrently:
    """Builds indexes at once: CONCURRENTLY would wait for every transaction of the database."""

    def add_index(self, model: Any, index: Any, concurrently: bool = False) -> None:
        super().add_index(model, index)  # type: ignore[misc]

    def remove_index(self, model: Any, index: Any, concurrently: bool = False) -> None:
        super().remove_index(model, index)  # type: ignore[misc]

    def execute(self, sql: Any, params: Any = ()) -> None:
        # Unique ones, which Django has no operation for, are built by statements of our own.
        said = str(sql).replace("INDEX CONCURRENTLY", "INDEX", 1)
        super().execute(said, params)  # type: ignore[misc]


def _drop(scratch: BaseDatabaseWrapper, name: str) -> None:
    try:
        with scratch.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
    except Error:
        # Lost the connection, most likely: what was interrupted is what people should hear of.
        logger.warning("The schema %s is left over; the next run drops it.", name, exc_info=True)


def _drop_leftovers(scratch: BaseDatabaseWrapper) -> None:
    """Drops scratch schemas whose run is over: a run holds the lock of its schema's name."""
    for name in _ours(scratch):
        with locks.held(scratch, name) as abandoned:
            if abandoned:
                logger.info("Dropping %s, which a killed run left behind", name)
                _drop(scratch, name)


def _ours(scratch: BaseDatabaseWrapper) -> Sequence[str]:
    with scratch.cursor() as cursor:
        cursor.execute(
            "SELECT nspname FROM pg_namespace"
            " WHERE starts_with(nspname, %s) AND pg_has_role(nspowner, 'USAGE')",
            [PREFIX],
        )
        return [name for (name,) in cursor.fetchall()]
