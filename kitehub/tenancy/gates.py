"""Closing and opening an instance's gate in one database, and waiting for who is writing.

No lock is kept, and no state of a session: it works through a pooler in transaction mode. Nobody
who writes takes a lock for it either. A gate is a row; who closes it commits it, then looks which
transactions hold a writer's lock on the tenants' tables, and waits until these are over. Whoever
takes such a lock later finds the row, because the triggers look for it with a snapshot of their
own; a transaction that keeps an older one is told to begin again (`gates_changed_at`).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.utils.translation import gettext_noop as noop

from kitehub.db.gates import GateReason
from kitehub.db.sentences import Sentence
from kitehub.tenancy.router import tenant_models

# A writer is waited for so long; then the gate opens again.
WRITERS_SECONDS = 10.0
_PAUSE_SECONDS = 0.01

_CLOSE = """
INSERT INTO instance_gates AS gate (instance_id, reason, expires_at)
VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s))
ON CONFLICT (instance_id, reason) DO UPDATE SET expires_at = excluded.expires_at
"""
_CHANGED = (
    "SELECT setval('gates_changed_at', (EXTRACT(EPOCH FROM clock_timestamp()) * 1e6)::bigint)"
)
# Those of a server's other databases, and autovacuum's, are left out; prepared transactions, which
# have no process, are not.
_WRITERS = """
SELECT DISTINCT virtualtransaction, pid
FROM pg_locks
WHERE locktype = 'relation' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND relation = ANY (%s::regclass[])
    AND mode IN (
        'RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'
    )
    AND pid IS DISTINCT FROM pg_backend_pid()
"""


class WritersAtWork(Exception):
    """Transactions that write tenants' rows did not end in time; says which processes they are."""


def close(
    alias: str, instance_id: UUID, reason: GateReason, *, lasts: timedelta | None = None
) -> None:
    """Closes an instance's gate, or watches it; to repeat it makes it last anew.

    `lasts` is after what time it opens by itself; None is never. Who wrote before may be writing
    still: see `wait_for_writers`.
    """
    _execute(alias, _CLOSE, [instance_id, reason.value, lasts.total_seconds() if lasts else None])
    # Once more after the commit: who keeps a snapshot from before it must not find an older time.
    _execute(alias, _CHANGED, [])


def reopen(alias: str, instance_id: UUID, *reasons: GateReason) -> bool:
    """Takes these reasons away; says whether any was there."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "DELETE FROM instance_gates WHERE instance_id = %s AND reason = ANY (%s)",
            [instance_id, [reason.value for reason in reasons]],
        )
        return bool(cursor.rowcount > 0)


def reasons(alias: str, instance_id: UUID) -> dict[GateReason, datetime | None]:
    """The reasons that are there, also expired ones, and when each expires."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT reason, expires_at FROM instance_gates WHERE instance_id = %s", [instance_id]
        )
        return {GateReason(reason): expires for reason, expires in cursor.fetchall()}


def extend(alias: str, instance_id: UUID, *, lasts: timedelta) -> bool:
    """Makes a move's gate last longer, if it has been closed without a break; says whether it has.

    Nobody can have passed in between: the gate is asked again after the commit.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT expires_at FROM instance_gates WHERE instance_id = %s AND reason = 'MOVING'",
            [instance_id],
        )
        row = cursor.fetchone()
        if row is None:
            return False
        cursor.execute(
            "UPDATE instance_gates SET expires_at = clock_timestamp() + make_interval(secs => %s)"
            " WHERE instance_id = %s AND reason = 'MOVING' AND expires_at = %s",
            [lasts.total_seconds(), instance_id, row[0]],
        )
        changed = cursor.rowcount == 1
        cursor.execute("SELECT clock_timestamp() < %s", [row[0]])
        return changed and bool(cursor.fetchone()[0])


def wait_for_writers(alias: str, *, most: float | None = None) -> None:
    """Waits until who holds a writer's lock on a tenants' table is done; seconds at most.

    Raises WritersAtWork. Others begin meanwhile and are not waited for.
    """
    most = WRITERS_SECONDS if most is None else most
    deadline = time.monotonic() + most
    left = _writers(alias)
    while left:
        if time.monotonic() > deadline:
            pids = ", ".join(sorted(str(pid or "prepared") for _, pid in left))
            raise WritersAtWork(
                Sentence(
                    noop(
                        "Transactions that write tenants' rows did not end within %(seconds)s s: "
                        "%(pids)s. End them (pg_stat_activity shows what they do), then run this "
                        "again."
                    ),
                    seconds=f"{most:g}",
                    pids=pids,
                )
            )
        time.sleep(_PAUSE_SECONDS)
        left &= _writers(alias)


@contextmanager
def moving(alias: str) -> Iterator[Any]:
    """A transaction whose rows go past the triggers as they are; yields psycopg's connection.

    Only for instances whose gate is closed for a move: the database refuses all others.
    """
    with transaction.atomic(using=alias):
        _execute(alias, "SET LOCAL kitehub.moving = 'on'", [])
        yield connections[alias].connection


def _writers(alias: str) -> set[tuple[str, int | None]]:
    tables = [model._meta.db_table for model in tenant_models()]
    with connections[alias].cursor() as cursor:
        cursor.execute(_WRITERS, [tables])
        return set(cursor.fetchall())


def _execute(alias: str, statement: str, values: list[Any]) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, values)
