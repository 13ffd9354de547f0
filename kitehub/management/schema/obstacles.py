"""What in a database stands in the way of migrations, found before the first of them runs.

Each migration is a transaction of its own, so one that fails leaves those before it; what can be
known beforehand is therefore a refusal of the whole.
"""

import re
from collections.abc import Iterable

from django.apps import apps
from django.db.migrations import CreateModel, RunSQL

from kitehub.db import catalog
from kitehub.db.catalog import Key
from kitehub.db.encryption import EncryptRows
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

_CREATES = re.compile(
    r"^ *CREATE (?:OR REPLACE )?(TABLE|TYPE|FUNCTION) (\w+)(?:\(([^)]*)\))?",
    re.IGNORECASE | re.MULTILINE,
)
_TAKEN = """
SELECT 'table', relname, 0 FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
UNION ALL
SELECT 'type', typname, 0 FROM pg_type t
WHERE typnamespace = current_schema()::regnamespace AND typtype <> 'b'
    AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
UNION ALL
SELECT 'function', proname, pronargs FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace
"""
_NOT_OURS = """
SELECT quote_ident(relname), quote_ident(current_user)
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
    AND relname = ANY (%s) AND NOT pg_has_role(current_user, relowner, 'USAGE')
ORDER BY 1
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
    taken = _taken_tables(live, keys)
    if taken := taken or _taken_names(live, keys):
        raise Refused(
            "Nothing was done: what the migrations would make is there already. If the plan's SQL "
            "made it, take it over with `manage.py schema baseline --at` and its version; else "
            "rename it.",
            taken,
        )
    if foreign := _foreign_tables(live, keys):
        raise Refused(
            "Nothing was done: the migrations change tables that belong to other roles. Make them "
            "the migrating role's own, then run this again.",
            foreign,
        )
    if TIME_GETS_ITS_ZONE in {live.versions.of[key] for key in keys}:
        refuse_users(live, _times(live), "make the plan's times timestamptz")


def refuse_lost_keys(live: Live, undone: Iterable[MigrationKey]) -> None:
    """Raises Refused where migrations to undo would have to decrypt what no key opens."""
    lost = {
        row
        for app, name in undone
        for operation in live.versions.migration((app, name)).operations
        if isinstance(operation, EncryptRows)
        for row in operation.lost(app, live.connection)
    }
    if lost:
        raise Refused(
            "Nothing was done: on the way back these are decrypted, and their key is not in "
            "KITEHUB_FIELD_KEYS. Add the key, or empty the columns.",
            sorted(lost),
        )


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
    if not made:
        return []
    with live.connection.cursor() as cursor:
        there = {table.name for table in live.connection.introspection.get_table_list(cursor)}
    return [f"table {name}" for name in sorted(made & there)]


def _taken_names(live: Live, keys: list[MigrationKey]) -> list[str]:
    """What SQL makes; the functions of applied migrations are ours, to be replaced."""
    made = _made_by_sql(live, keys)
    if not made:
        return []
    ours = _made_by_sql(live, [key for key in live.recorded if key not in keys])
    with live.connection.cursor() as cursor:
        cursor.execute(_TAKEN)
        there = {(kind, name, count) for kind, name, count in cursor.fetchall()}
    taken = sorted((made - ours) & there)
    return [f"{kind} {name}" for kind, name, _ in taken]


def _made_by_sql(live: Live, keys: Iterable[MigrationKey]) -> set[tuple[str, str, int]]:
    """What the SQL of migrations makes: kind, name, and how many arguments a function has."""
    made = set()
    for key in keys:
        for operation in live.versions.migration(key).operations:
            sql = operation.sql if isinstance(operation, RunSQL) else ""
            for kind, name, arguments in _CREATES.findall(sql if isinstance(sql, str) else ""):
                is_function = kind.lower() == "function" and arguments.strip()
                made.add((kind.lower(), name, len(arguments.split(",")) if is_function else 0))
    return made


def _foreign_tables(live: Live, keys: list[MigrationKey]) -> list[str]:
    """A statement for each table that migrations change and the role may not."""
    labels: set[str] = set()
    for app, name in keys:
        for operation in live.versions.migration((app, name)).operations:
            labels.update(getattr(operation, "hints", {}).get("models", ()))
            if model := getattr(operation, "model_name", ""):
                labels.add(f"{app}.{model}")
    known = {model._meta.label_lower: model._meta.db_table for model in apps.get_models()}
    tables = [known[label.lower()] for label in labels if label.lower() in known]
    if not tables:
        return []
    with live.connection.cursor() as cursor:
        cursor.execute(_NOT_OURS, [tables])
        return [f"ALTER TABLE {name} OWNER TO {role};" for name, role in cursor.fetchall()]


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
