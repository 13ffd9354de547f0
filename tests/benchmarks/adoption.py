"""Bringing a database at the plan's V8, full of rows, to the newest version while it is used.

A reader and a writer of each large table work all the time; printed is the longest that each of
them waited in one statement. Among the rows are some that break V10's rules.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import connection as default
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db.invariants import findings
from tests.benchmarks.sql import server
from tests.benchmarks.waits import Phase, Probe, Watch
from tests.migrations.commands import ROOT
from tests.migrations.databases import execute, go_to, url, value

TABLES = ("storage_events", "guest_events", "payment_orders")
INSTANCES = 200
OURS = UUID(int=0)  # the instance of the probes' own rows

# One instance is asked for by number. Every 50th order was deleted without a time, every 2,000th
# paid without one; every 10,000th event has a size below nothing.
FILL = """
SET LOCAL session_replication_role = replica;
CREATE FUNCTION pg_temp.school(n bigint) RETURNS uuid LANGUAGE sql
    AS $$ SELECT md5('school' || n % {instances})::uuid $$;
INSERT INTO instance_configs (instance_id, tier, features)
SELECT pg_temp.school(n), 'STANDARD', '{{}}' FROM generate_series(1, {instances}) n;
INSERT INTO payment_orders (order_id, type, user_id, instance_id, amount, tier, payment_content,
                            status, paid_at, transaction_reference, deleted, created_at, expires_at)
SELECT 'KH' || n, 'SUBSCRIPTION', gen_random_uuid(), pg_temp.school(n), 299000, 'BASIC',
    'KITEHUB KH' || n || ' nguoi-dung@example.vn',
    (CASE WHEN n % 4 = 0 THEN 'PAID' ELSE 'EXPIRED' END)::payment_status,
    CASE WHEN n % 4 = 0 AND n % 2000 > 0 THEN moment END,
    CASE WHEN n % 4 = 0 AND n % 2000 > 0 THEN 'FT' || n END,
    n % 50 = 1, moment, moment + interval '24 hours'
FROM (SELECT n, timestamp '2026-01-01' + n * interval '1 second' AS moment
      FROM generate_series(1, {rows}) n) series;
INSERT INTO guest_events (session_id, instance_id, event_type, timestamp)
SELECT 's' || n / 8, pg_temp.school(n),
    (ARRAY['page_view', 'course_view', 'contact_click'])[n % 3 + 1],
    timestamp '2026-01-01' + n * interval '1 second'
FROM generate_series(1, {rows}) n;
INSERT INTO storage_events (instance_id, file_type, file_name, file_url, file_size_bytes, operation,
                            created_at)
SELECT pg_temp.school(n), 'IMAGE', n || '.png', 'https://files.vn/' || n || '.png',
    CASE WHEN n % 10000 = 1 THEN -2048 ELSE 2048 END, 'UPLOAD',
    timestamp '2026-01-01' + n * interval '1 second'
FROM generate_series(1, {rows}) n;
INSERT INTO storage_usage (instance_id, used_bytes, limit_bytes)
SELECT instance_id, sum(file_size_bytes), 0 FROM storage_events GROUP BY instance_id;
"""
WRITES = {
    "payment_orders": """
        INSERT INTO payment_orders (order_id, type, user_id, instance_id, amount, payment_content,
                                    expires_at)
        VALUES (gen_random_uuid(), 'ENROLLMENT', gen_random_uuid(), %s, 1, '-', now())""",
    "guest_events": """
        INSERT INTO guest_events (session_id, instance_id, event_type)
        VALUES ('probe', %s, 'page_view')""",
    "storage_events": """
        INSERT INTO storage_events (instance_id, file_type, file_name, file_url, file_size_bytes,
                                    operation)
        VALUES (%s, 'IMAGE', '-', '-', 1, 'UPLOAD')""",
}


def main(arguments: Sequence[str]) -> None:
    """Prints a table of waits for each way to V9 and for V10, and what became of the rows."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks adoption", description=__doc__
    )
    parser.add_argument(
        "--rows", type=int, default=100_000, help="of each table; 1000000 is the goal's size"
    )
    measure(default, parser.parse_args(arguments).rows)


def measure(connection: BaseDatabaseWrapper, rows: int) -> None:
    """Measures on a database without rows, at any version; leaves it at the newest with rows."""
    go_to(connection, 8)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN;" + FILL.format(rows=rows, instances=INSTANCES) + "COMMIT")
    for table in TABLES:
        execute(connection, f"CREATE TABLE {table}_before AS SELECT id FROM {table}")
    print(f"{server()}; {rows:,} rows in each of {', '.join(TABLES)}; seconds")
    _watched(connection, "V8 to V9, --online", "V9", "--online")
    go_to(connection, 8)
    _watched(connection, "V8 to V9", "V9")
    said = _watched(connection, "V9 to the newest", "latest")
    _account(connection, said)


def _watched(connection: BaseDatabaseWrapper, title: str, *target: str) -> list[str]:
    """Runs `manage.py schema to` and prints what it meant for others; returns what it said."""
    for table in TABLES:
        execute(connection, f"VACUUM ANALYZE {table}")
    execute(connection, "CHECKPOINT")
    watch = Watch(connection, TABLES)
    said: list[str] = []
    with watch.probing(list(_probes(connection))):
        watch.begin_phase("(looking where to go)")
        while not _go(connection, watch, said, target):
            said.append("    again, because PostgreSQL ended a deadlock with a writer so")
    print(f"\n{title:44}{'run':>8}{'reader':>8}{'writer':>8}  strongest lock")
    for phase in watch.phases:
        print(_line(watch, phase), flush=True)
    return said


def _go(
    connection: BaseDatabaseWrapper, watch: Watch, said: list[str], target: Sequence[str]
) -> bool:
    """Runs the command in a process of its own, each step a phase; False after a deadlock."""
    command = subprocess.Popen(
        [sys.executable, "manage.py", "schema", "to", *target, "--yes"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url(connection)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdout
    for line in command.stdout:
        # What a migration prints may have the next step's line at its end.
        told, verb, what = re.split(r"(Running|Dropping|Building|At|$)", line.rstrip(), maxsplit=1)
        if told.startswith("    "):
            said.append(told)
        if verb == "Running":
            watch.begin_phase(what.strip())
        elif verb in {"Dropping", "Building"}:
            watch.begin_phase(f"({verb.lower()} indexes)")
    watch.end_phase()
    _, errors = command.communicate()
    if command.returncode and "deadlock" not in errors:
        raise RuntimeError(errors)
    return command.returncode == 0


def _probes(connection: BaseDatabaseWrapper) -> Iterator[Probe]:
    for table in TABLES:
        some = value(connection, f"SELECT id FROM {table} LIMIT 1")
        yield Probe(table, "reader", f"SELECT * FROM {table} WHERE id = %s", (some,))
        yield Probe(table, "writer", WRITES[table], (OURS,))


def _line(watch: Watch, phase: Phase) -> str:
    waits = "".join(f"{watch.longest(phase, role):8.2f}" for role in ("reader", "writer"))
    lock = " on ".join(reversed(phase.strongest or ("-",)))
    deadlocks = watch.deadlocked(phase)
    also = f"; {deadlocks} writers gave way to it in a deadlock" if deadlocks else ""
    return f"{phase.name:44}{phase.seconds:8.2f}{waits}  {lock}{also}"


def _account(connection: BaseDatabaseWrapper, said: Sequence[str]) -> None:
    """Prints what was mended, what is listed for people, and that nothing is lost."""
    print("\nMended or told by the migrations:")
    print(*said, sep="\n")
    print("\nListed by check_invariants:")
    for finding in findings(connection):
        if finding.broken:
            print(f"    {finding.table}: {finding.what} ({finding.count:,})")
    print("\nRows before, and how many of them are lost:")
    for table in TABLES:
        before = value(connection, f"SELECT count(*) FROM {table}_before")
        lost = value(
            connection,
            f"SELECT count(*) FROM {table}_before b"
            f" WHERE NOT EXISTS (SELECT FROM {table} t WHERE t.id = b.id)",
        )
        print(f"    {table}: {before:,}, {lost} lost")
