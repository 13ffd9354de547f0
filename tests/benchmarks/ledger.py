"""Recording uploads in the ledger, against a bare upsert of the same shape.

The raw limit are two tables made LIKE the ledger's, so with the same columns, defaults, checks and
indexes but without a trigger, and the one statement that writes both: an INSERT into the events
feeding an INSERT … ON CONFLICT DO UPDATE of the sum. That is as little as PostgreSQL can do for
these two rows: one round trip, one plan, one commit, as for the ledger's plain INSERT. Shown beside
it is what most programs would write, the two statements in a transaction of their own.

Every event is a transaction that is acknowledged before its writer sends the next. Writers call
libpq with prepared statements, so that Python costs next to nothing. The sides take turns every few
hundred milliseconds, and the ratio is the median of the turns'.
"""

import argparse
import random
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID, uuid4

from django.db import connection
from psycopg import pq

from tests.benchmarks.sql import execute, server

GOAL = 0.8
TABLES = ("storage_events", "storage_usage", "bare_events", "bare_usage")
EVENT = (
    "INSERT INTO {} (instance_id, file_type, file_name, file_url, file_size_bytes, operation)"
    " VALUES ($1, 'IMAGE', 'anh.jpg', 'https://cdn.example.vn/anh.jpg', 1000, 'UPLOAD')"
)
UPSERT = (
    "INSERT INTO bare_usage AS usage (instance_id, used_bytes, limit_bytes) {}"
    " ON CONFLICT (instance_id) DO UPDATE"
    " SET used_bytes = usage.used_bytes + excluded.used_bytes, last_updated = now()"
)
BARE = EVENT.format("bare_events")
# What is prepared on every connection; a side is the statements of one event.
STATEMENTS = {
    b"ledger": EVENT.format("storage_events"),
    b"bare": f"WITH event AS ({BARE} RETURNING instance_id, file_size_bytes) "
    + UPSERT.format("SELECT instance_id, file_size_bytes, 0 FROM event"),
    b"event": BARE,
    b"sum": UPSERT.format("VALUES ($1, 1000, 0)"),
}
SIDES: dict[str, tuple[bytes, ...]] = {
    "two": (b"BEGIN", b"event", b"sum", b"COMMIT"),
    "bare": (b"bare",),
    "ledger": (b"ledger",),
}


def main(arguments: Sequence[str]) -> None:
    """Prints events a second of each side and the ledger's ratio, by instances and writers."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks ledger", description=__doc__)
    parser.add_argument("--events", type=int, default=160, help="a side and round")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(arguments)
    execute("CREATE TABLE bare_events (LIKE storage_events INCLUDING ALL)")
    execute("CREATE TABLE bare_usage (LIKE storage_usage INCLUDING ALL)")
    for table in TABLES:
        execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    print(f"{server()}; events a second, medians of {options.rounds} × {options.events:,}")
    print(f"{'instances':>9}{'writers':>9}{'two':>8}{'bare':>8}{'ledger':>8}{'ratio':>8}")
    worst = float("inf")
    for count in (1, 100):
        instances = _instances(count)
        for writers in (1, 4, 16):
            worst = min(worst, _compare(instances, writers, options.events, options.rounds))
    print(f"worst ratio {worst:.2f}, goal {GOAL}: {'met' if worst >= GOAL else 'missed'}")


def _instances(count: int) -> list[UUID]:
    """New instances that both sides have a sum for."""
    instances = [uuid4() for _ in range(count)]
    for table in ("storage_usage", "bare_usage"):
        execute(
            f"INSERT INTO {table} (instance_id, limit_bytes) SELECT unnest(%s::uuid[]), 0",
            instances,
        )
    return instances


def _compare(instances: list[UUID], writers: int, events: int, rounds: int) -> float:
    """Prints one line; returns the ledger's events a second by those of the bare upsert."""
    for table in TABLES:
        execute(f"VACUUM {table}")
    execute("CHECKPOINT")
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    with _crew(writers) as crew:
        for side in SIDES.values():
            # Plans are made, and the pages' first images are in the log.
            _write(crew, side, instances, max(events, 10 * writers))
        for turn in range(rounds):
            for name in SIDES if turn % 2 else reversed(SIDES):
                rates[name].append(_write(crew, SIDES[name], instances, events))
    pairs = zip(rates["ledger"], rates["bare"], strict=True)
    ratio = statistics.median(ours / bare for ours, bare in pairs)
    medians = "".join(f"{statistics.median(rates[name]):8,.0f}" for name in SIDES)
    print(f"{len(instances):9}{writers:9}{medians}{ratio:8.2f}", flush=True)
    return ratio


@contextmanager
def _crew(writers: int) -> Iterator[list[pq.abc.PGconn]]:
    """So many connections that know the statements."""
    wrappers = [connection.copy() for _ in range(writers)]
    try:
        for wrapper in wrappers:
            wrapper.ensure_connection()
            for name, statement in STATEMENTS.items():
                _check(wrapper.connection.pgconn.prepare(name, statement.encode()))
        yield [wrapper.connection.pgconn for wrapper in wrappers]
    finally:
        for wrapper in wrappers:
            wrapper.close()


def _write(
    crew: list[pq.abc.PGconn], side: Sequence[bytes], instances: list[UUID], events: int
) -> float:
    """Writes the events, divided among the connections; returns events a second."""
    each = -(-events // len(crew))
    barrier = threading.Barrier(len(crew) + 1)

    def work(pgconn: pq.abc.PGconn) -> None:
        chosen = [str(random.choice(instances)).encode() for _ in range(each)]  # noqa: S311
        barrier.wait()
        for instance in chosen:
            for name in side:
                if name in STATEMENTS:
                    _check(pgconn.exec_prepared(name, [instance]))
                else:
                    _check(pgconn.exec_(name))

    with ThreadPoolExecutor(len(crew)) as pool:
        works = [pool.submit(work, pgconn) for pgconn in crew]
        barrier.wait()
        started = time.perf_counter()
        for done in works:
            done.result()
        return each * len(crew) / (time.perf_counter() - started)


def _check(result: pq.abc.PGresult) -> None:
    assert result.status == pq.ExecStatus.COMMAND_OK, result.error_message
