"""`schema to --online`: V9 on large tables without the lock under which indexes are rebuilt.

Turning a column into `timestamptz` rewrites no table, but it rebuilds the column's indexes while
nobody can read the table: seconds for each few million rows. Dropped before and built again
afterwards, both CONCURRENTLY, they cost slower queries for a while instead.
"""

from collections.abc import Callable

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model

from kitehub.management.schema.live import Live
from kitehub.management.schema.move import Move
from kitehub.management.schema.obstacles import TIME_GETS_ITS_ZONE

Tell = Callable[[str], None]

# Indexes on the plan's times; never those behind a constraint, which none of them is.
_ON_TIMES = """
SELECT DISTINCT index.relname
FROM pg_index i
JOIN pg_class index ON index.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid AND t.relnamespace = current_schema()::regnamespace
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey)
WHERE a.atttypid = 'timestamp'::regtype
    AND t.relname = ANY (%s)
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
ORDER BY 1
"""
_STANDING = """
SELECT index.relname, i.indisvalid
FROM pg_index i
JOIN pg_class index ON index.oid = i.indexrelid
WHERE index.relnamespace = current_schema()::regnamespace
"""


def shed(live: Live, move: Move, tell: Tell = lambda line: None) -> None:
    """Drops the indexes that V9, if the move runs it, would rebuild under its lock."""
    if TIME_GETS_ITS_ZONE not in {live.versions.of[key] for key in move.run}:
        return
    tables = [model._meta.db_table for model in _models(live.connection)]
    with live.connection.cursor() as cursor:
        cursor.execute(_ON_TIMES, [tables])
        for (name,) in cursor.fetchall():
            tell(f"Dropping {name}")
            cursor.execute(f"DROP INDEX CONCURRENTLY {live.connection.ops.quote_name(name)}")


def restore(connection: BaseDatabaseWrapper, tell: Tell = lambda line: None) -> None:
    """Builds every index that the applied migrations declare and the database lacks.

    Run again after a kill, it replaces what the kill left unfinished.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STANDING)
        standing = dict(cursor.fetchall())
    quote = connection.ops.quote_name
    # CONCURRENTLY runs in no transaction.
    with connection.schema_editor(atomic=False) as editor:
        for model in _models(connection):
            for index in model._meta.indexes:
                if standing.get(index.name):
                    continue
                if index.name in standing:
                    editor.execute(f"DROP INDEX CONCURRENTLY {quote(index.name)}")
                tell(f"Building {index.name}")
                # PostgreSQL's signature; Django's base class has no `concurrently`.
                editor.add_index(model, index, concurrently=True)  # type: ignore[call-arg]


def _models(connection: BaseDatabaseWrapper) -> list[type[Model]]:
    """The models as the applied migrations describe them."""
    loader = MigrationExecutor(connection).loader
    state = loader.project_state(list(loader.applied_migrations))
    return list(state.apps.get_models())
