"""Locks: advisory ones by name, and how long to wait for those of others."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

# Keeps our names apart from the advisory locks of others: "kite" in ASCII.
_SPACE = 0x6B697465
_PAUSE_SECONDS = 0.2

# How long a change of the schema queues for a table, unless somebody says otherwise.
PATIENCE = "5s"
# Held by whoever changes the schema.
SCHEMA = "kitehub schema"


def take(connection: BaseDatabaseWrapper, name: str) -> bool:
    """Takes a lock if no other connection to this database holds it; never waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [_SPACE, name])
        return bool(cursor.fetchone()[0])


def take_within(connection: BaseDatabaseWrapper, name: str) -> bool:
    """The same until the transaction ends; without one it only tells whether the lock is free."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [_SPACE, name])
        return bool(cursor.fetchone()[0])


def wait_within(connection: BaseDatabaseWrapper, name: str) -> None:
    """Waits for a lock, and holds it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_SPACE, name])


def release(connection: BaseDatabaseWrapper, name: str) -> None:
    """Gives up a lock that this connection holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [_SPACE, name])


def _give_back(connection: BaseDatabaseWrapper, name: str) -> None:
    # A lost connection has lost the lock too, and a new one never had it.
    if connection.is_usable():
        release(connection, name)


@contextmanager
def held(connection: BaseDatabaseWrapper, name: str) -> Iterator[bool]:
    """Holds a lock for the block, if it is free; yields whether it was."""
    taken = take(connection, name)
    try:
        yield taken
    finally:
        if taken:
            _give_back(connection, name)


@contextmanager
def turn(
    connection: BaseDatabaseWrapper,
    name: str,
    waiting: Callable[[], None] = lambda: None,
    pause: Callable[[float], object] = time.sleep,
) -> Iterator[None]:
    """Holds a lock for the block, once those who hold it are done; `waiting` is told if it waits.

    `pause` passes the time between two attempts, given in seconds; what it raises ends the wait.

    Asks again and again rather than queue: a query that waits would keep its snapshot, and building
    an index CONCURRENTLY waits for every snapshot to go.
    """
    if not take(connection, name):
        waiting()
        while not take(connection, name):
            pause(_PAUSE_SECONDS)
    try:
        yield
    finally:
        _give_back(connection, name)


@contextmanager
def patience(connection: BaseDatabaseWrapper, limit: str = PATIENCE) -> Iterator[None]:
    """Gives up, in the block, on a table that others keep locked for longer than `limit`.

    `limit` is PostgreSQL's lock_timeout, such as "5s"; 0 waits for ever. Whoever queues for a
    table makes all who come after wait as well, so a change of the schema should not queue long.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        before = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [limit])
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [before])
