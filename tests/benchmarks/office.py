"""A back office of any size: schools, orders, bank lines and all that comes of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction

from kitehub.db.secrets import keyring
from tests.benchmarks.sql import execute

# No list of the admin: what migrate writes, and what others keep.
KEPT = ("django_migrations", "django_content_type", "auth_permission", "storage_tier_limits")
_TABLES = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL (%s)
"""
# Neither keys nor what a constraint needs.
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
WHERE relnamespace = 'public'::regnamespace AND relname <> ALL (%s) AND NOT indisprimary
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


def fill(orders: int, *, at: datetime) -> None:
    """Puts a back office with so many orders, up to a moment, in place of what is there.

    As rows that are there: no trigger sees them, and indexes are built when all are in.
    """
    tables = [name for (name,) in execute(_TABLES, list(KEPT))]
    told = {"orders": orders, "at": at, "password": keyring().seal("none")}
    statements = (Path(__file__).with_suffix(".sql")).read_text("utf-8").split(";;\n")
    with _bare(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        for statement in statements:
            cursor.execute(statement, told)
        cursor.execute("DROP TABLE school, sale")
    for table in tables:
        execute(f"VACUUM ANALYZE {table}")
    execute("CHECKPOINT")


@contextmanager
def _bare() -> Iterator[None]:
    """The tables without their secondary indexes, which are built anew at the end."""
    found = execute(_INDEXES, list(KEPT))
    with connection.cursor() as cursor:
        for name, _definition in found:
            cursor.execute(f"DROP INDEX {name}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _name, definition in found:
            cursor.execute(definition)
        cursor.execute("RESET maintenance_work_mem")
