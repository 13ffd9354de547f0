"""A back office of any size: schools, orders, bank lines and all that comes of them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction

from billing.services.figures import fold_figures, rebuild_figures
from kitehub.db.secrets import keyring
from tests.benchmarks.sql import execute

SCRIPT = Path(__file__).with_suffix(".sql").read_text("utf-8")
TABLES = sorted(set(re.findall(r"^INSERT INTO (\w+)", SCRIPT, re.MULTILINE)))
# What is added up of the others.
FIGURES = ("daily_figures", "figure_entries")
# Neither keys nor what a constraint needs.
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
FROM pg_index
WHERE indrelid = ANY (%s::regclass[]) AND NOT indisprimary
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


def fill(orders: int, *, at: datetime) -> None:
    """Puts a back office with so many orders, up to a moment, in place of what is there.

    As rows that are there: no trigger sees them, and indexes are built when all are in.
    """
    told = {
        "orders": orders,
        "thin": max(1, orders // 1_000),
        "at": at,
        "password": keyring().seal("none"),
    }
    clear()
    with _bare(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        for statement in SCRIPT.split(";;\n"):
            cursor.execute(statement, told)
        cursor.execute("DROP TABLE school, sale")
    rebuild_figures()
    fold_figures()
    for table in (*TABLES, *FIGURES):
        execute(f"VACUUM ANALYZE {table}")
    execute("CHECKPOINT")


def clear() -> None:
    """Empties the tables, also those that take nothing back, and what refers to them."""
    execute(
        "SET session_replication_role = replica;"
        f" TRUNCATE {', '.join((*TABLES, *FIGURES))} CASCADE; RESET session_replication_role"
    )


@contextmanager
def _bare() -> Iterator[None]:
    """The tables without their secondary indexes, which are built anew at the end."""
    found = execute(_INDEXES, TABLES)
    for name, _definition in found:
        execute(f"DROP INDEX {name}")
    try:
        yield
    finally:
        execute("SET maintenance_work_mem = '512MB'")
        for _name, definition in found:
            execute(definition)
        execute("RESET maintenance_work_mem")
