"""What in a database stands in the way of migrations, found before the first of them runs.

Each migration is a transaction of its own, so one that fails leaves those before it; what can be
known beforehand is therefore a refusal of the whole.
"""

from collections.abc import Iterable

from django.db.migrations import CreateModel

from kitehub.db import catalog
from kitehub.db.catalog import Key
from kitehub.db.versions import MigrationKey
from kitehub.management.schema import flyway
from kitehub.management.schema.live import Live
from kitehub.management.schema.outcome import Refused

TIME_GETS_ITS_ZONE = 9

_TIMES_WITHOUT_ZONE = """
SELECT c.relname, a.attname
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = current_schema()::regnamespace
WHERE a.atttypid = 'timestamp'::regtype AND NOT a.attisdropped AND c.relname = ANY (%s)
"""


def refuse_untaken(live: Live) -> None:
    """Raises Refused where Flyway built the schema and `baseline` hasn't taken it over."""
    if not live.planned and (table := flyway.find(live.connection)):
        raise Refused(not_taken_over(table))


def not_taken_over(table: str) -> str:
    """The sentence for a database that Flyway built and nothing of ours is recorded in."""
    return (
        f"Flyway built this database ({table}), and KiteHub's migrations aren't recorded in it. "
        "Run `manage.py schema baseline` first."
    )


def refuse_obstacles(live: Live, run: Iterable[MigrationKey]) -> None:
    """Raises Refused, with each reason, where not all migrations of `run` can do so."""
    keys = list(run)
    refuse_untaken(live)
    if taken := _taken_tables(live, keys):
        raise Refused(
            "Nothing was done: tables that the migrations would make are there already. If the "
            "plan's SQL made them, take them over with `manage.py schema baseline --at` and their "
            "version; else rename them.",
            [f"table {name}" for name in taken],
        )
    if TIME_GETS_ITS_ZONE in {live.versions.of[key] for key in keys}:
        refuse_users(live, _times(live), "make the plan's times timestamptz")


def refuse_users(
    live: Live,
    columns: Iterable[tuple[str, str]],
    change: str,
    ours: Iterable[Key] = (),
) -> None:
    """Raises Refused where something other than `ours` keeps columns from changing their type."""
    known = {*ours}
    users = [
        (user, column)
        for user, column in catalog.column_users(live.connection, columns)
        if user not in known
    ]
    if users:
        raise Refused(
            f"Nothing was done: to {change}, PostgreSQL needs what uses these columns out of the "
            "way. Drop it, run this again, and make it anew.",
            [f"{user} uses {column}" for user, column in users],
        )


def _taken_tables(live: Live, keys: list[MigrationKey]) -> list[str]:
    made = set(_tables(live, keys))
    with live.connection.cursor() as cursor:
        there = {table.name for table in live.connection.introspection.get_table_list(cursor)}
    return sorted(made & there)


def _tables(live: Live, keys: Iterable[MigrationKey]) -> list[str]:
    """The tables that migrations make."""
    return [
        operation.options.get("db_table") or f"{app}_{operation.name_lower}"
        for app, name in keys
        for operation in live.versions.migration((app, name)).operations
        if isinstance(operation, CreateModel) and operation.options.get("managed", True)
    ]


def _times(live: Live) -> list[tuple[str, str]]:
    """The columns that V9 changes, as far as the plan's tables are there."""
    planned = [key for key in live.versions.order if 0 < live.versions.of[key] < TIME_GETS_ITS_ZONE]
    with live.connection.cursor() as cursor:
        cursor.execute(_TIMES_WITHOUT_ZONE, [_tables(live, planned)])
        return list(cursor.fetchall())
