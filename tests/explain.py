"""Tables full enough for the planner to choose, and which indexes it chose."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet


def indexes_used(queryset: "QuerySet[Any, Any]") -> set[str]:
    """Names of the indexes in the plan of the query, just as the ORM sends it."""
    (explained,) = json.loads(queryset.explain(format="json"))
    return {node["Index Name"] for node in _nodes(explained["Plan"]) if "Index Name" in node}


def serves(index: str, queryset: "QuerySet[Any, Any]") -> bool:
    """Whether an index can find the rows of a query, be the planner's choice another one.

    On a few rows the choice hangs on chance, so all other indexes are out of its sight for once.
    With no order asked for, an index is read only where it has a condition of the query's.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid <> %s::regclass"
            " AND indrelid = (SELECT indrelid FROM pg_index WHERE indexrelid = %s::regclass)",
            [index, index],
        )
        used = indexes_used(queryset.order_by())
        transaction.set_rollback(True)
    return index in used


def tables_scanned(queryset: "QuerySet[Any, Any]") -> set[str]:
    """Names of the tables that the query reads from end to end."""
    (explained,) = json.loads(queryset.explain(format="json"))
    scans = [node for node in _nodes(explained["Plan"]) if node["Node Type"].endswith("Seq Scan")]
    return {node["Relation Name"] for node in scans}


def is_sorted_by_index(queryset: "QuerySet[Any, Any]") -> bool:
    """Whether the rows come out of an index in order, so that a first page reads no more."""
    (explained,) = json.loads(queryset.explain(format="json"))
    return not any("Sort" in node["Node Type"] for node in _nodes(explained["Plan"]))


def sorts_many(queryset: "QuerySet[Any, Any]", few: int = 1_000) -> bool:
    """Whether more than a few rows are sorted at once, rather than a few behind an index."""
    (explained,) = json.loads(queryset.explain(format="json"))
    sorts = [node for node in _nodes(explained["Plan"]) if node["Node Type"] == "Sort"]
    return any(node["Plan Rows"] > few for node in sorts)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from _nodes(inner)


@contextmanager
def filled(
    table: str, columns: Mapping[str, str], *, rows: int = 100_000, scatter: int = 1
) -> Iterator[None]:
    """Rows in a table, with fresh statistics, while the block runs; then none of them.

    `columns` gives the SQL of each column, in which `n` counts from 1 to `rows`. On disk a row lies
    up to `scatter` rows from its turn, as in a table that is updated and vacuumed: the planner
    weighs that. All of it is one transaction that is rolled back, and the table's triggers and
    checks are off: rows for the planner need no meaning. For a fixture of a class: every test
    that runs while the block is open sees the rows.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(columns.values())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'",
            [table],
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, {rows}) AS n"
            f" ORDER BY n + n * 7919 % {scatter}"
        )
        cursor.execute(f"ANALYZE {table}")
        try:
            yield
        finally:
            transaction.set_rollback(True)
    with connection.cursor() as cursor:
        # The table's size and row count outlive the rollback, and later tests plan by them.
        cursor.execute(f"VACUUM {table}")
