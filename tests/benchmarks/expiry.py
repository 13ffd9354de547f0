"""Expiring overdue orders by the service, against one bare UPDATE of the same rows."""

import argparse
import statistics
import time
from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from billing.services import EXPIRY_BATCH, Expiry, expire_overdue
from tests.benchmarks.orders import fill, settle
from tests.benchmarks.sql import execute, server

GOAL = 1.3
LONGEST = 1.0  # seconds that a row may be locked


def main(arguments: Sequence[str]) -> None:
    """Prints seconds of both, their ratio, and for how long the service locked a row at most."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks expiry", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000, help="1000000 is the goal's size")
    parser.add_argument("--batch", type=int, default=EXPIRY_BATCH)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    print(f"{server()}; {options.orders:,} orders, {options.batch:,} a batch; seconds")
    print(f"{'bare UPDATE':>12}{'service':>10}{'ratio':>8}{'batches':>9}{'longest':>9}")
    ratios, longest = [], 0.0
    for turn in range(options.rounds):
        # Who comes first pays for a cold cache, so both take turns.
        if turn % 2:
            ours, done = _service(options.orders, options.batch)
            bare = _bare(options.orders)
        else:
            bare = _bare(options.orders)
            ours, done = _service(options.orders, options.batch)
        ratios.append(ours / bare)
        longest = max(longest, done.longest)
        print(
            f"{bare:12.2f}{ours:10.2f}{ours / bare:8.2f}{done.batches:9}{done.longest:9.2f}",
            flush=True,
        )
    ratio = statistics.median(ratios)
    print(f"ratio {ratio:.2f}, goal {GOAL}: {_verdict(ratio <= GOAL)}")
    print(f"longest lock {longest:.2f} s, goal {LONGEST}: {_verdict(longest <= LONGEST)}")


def _verdict(met: bool) -> str:
    return "met" if met else "missed"


def _prepare(orders: int) -> datetime:
    fill("payment_orders", orders)
    settle("payment_orders")
    return timezone.now()


def _bare(orders: int) -> float:
    """One statement, which locks every row until its end."""
    at = _prepare(orders)
    started = time.perf_counter()
    execute(
        "UPDATE payment_orders SET status = 'EXPIRED'"
        " WHERE status = 'PENDING' AND NOT deleted AND expires_at < %s",
        at,
    )
    return time.perf_counter() - started


def _service(orders: int, batch: int) -> tuple[float, Expiry]:
    """What `manage.py expire_orders` runs."""
    at = _prepare(orders)
    started = time.perf_counter()
    done = expire_overdue(at=at, batch=batch)
    taken = time.perf_counter() - started
    assert done.orders == orders, done
    return taken, done
