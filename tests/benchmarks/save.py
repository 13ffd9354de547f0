"""What V10's triggers cost an UPDATE of a payment order, against the plan's schema in the same run.

Both tables get the same statements in turn, a chunk of rows at a time; the figures are medians.
"""

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence

from tests.benchmarks.orders import fill, settle
from tests.benchmarks.sql import execute, server
from tests.migrations import plan_sql

GOAL = 1.5
TABLES = ("plan.payment_orders", "public.payment_orders")
CHANGES = {
    "amount": "amount = amount + 1",
    "status": "status = 'EXPIRED'",
    "paid": "status = 'PAID', paid_at = now(), transaction_reference = order_id",
}


def main(arguments: Sequence[str]) -> None:
    """Prints microseconds a row of both schemas and their ratio, for each kind of change."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks save", description=__doc__)
    parser.add_argument("--rows", type=int, default=30_000, help="updated in chunks")
    parser.add_argument("--chunk", type=int, default=500, help="rows a statement")
    parser.add_argument("--single", type=int, default=3_000, help="rows updated one a statement")
    options = parser.parse_args(arguments)
    _build_plan()
    print(f"{server()}; microseconds a row, medians of {options.rows:,} orders")
    print(f"{'change':8}{'rows a statement':>18}{'plan':>9}{'V10':>9}{'ratio':>8}")
    worst = 0.0
    for change in CHANGES:
        for chunk, rows in ((1, options.single), (options.chunk, options.rows)):
            plan, ours = _measure(change, chunk, rows)
            worst = max(worst, ours / plan)
            print(f"{change:8}{chunk:18}{plan:9.1f}{ours:9.1f}{ours / plan:8.2f}", flush=True)
    print(f"worst ratio {worst:.2f}, goal {GOAL}: {'met' if worst <= GOAL else 'missed'}")


def _build_plan() -> None:
    """The plan's schema beside ours, from the plan's own SQL."""
    execute("CREATE SCHEMA plan")
    execute("SET search_path = plan")
    for version in plan_sql.VERSIONS:
        execute(plan_sql.corrected(version))
    execute("RESET search_path")
    for table in TABLES:
        execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")


def _measure(change: str, chunk: int, rows: int) -> tuple[float, float]:
    """Microseconds a row for the plan's table and for ours."""
    for table in TABLES:
        fill(table, rows)
    settle(*TABLES)
    taken: dict[str, list[float]] = {table: [] for table in TABLES}
    for turn, (first, last) in enumerate(_chunks(rows, chunk)):
        for table in TABLES if turn % 2 else reversed(TABLES):
            started = time.perf_counter()
            execute(
                f"UPDATE {table} SET {CHANGES[change]} WHERE order_id BETWEEN %s AND %s",
                f"KH{first:08}",
                f"KH{last:08}",
            )
            taken[table].append((time.perf_counter() - started) / chunk * 1e6)
    plan, ours = (statistics.median(taken[table]) for table in TABLES)
    return plan, ours


def _chunks(rows: int, chunk: int) -> Iterator[tuple[int, int]]:
    for first in range(1, rows + 1, chunk):
        yield first, first + chunk - 1
