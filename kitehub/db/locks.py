"""Advisory locks by name, held by a connection until it lets go or ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

# Keeps our names apart from the advisory locks of others: "kite" in ASCII.
_SPACE = 0x6B697465


def take(connection: BaseDatabaseWrapper, name: str) -> bool:
    """Takes a lock if no other connection to this database holds it; never waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [_SPACE, name])
        return bool(cursor.fetchone()[0])


def release(connection: BaseDatabaseWrapper, name: str) -> None:
    """Gives up a lock that this connection holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [_SPACE, name])


@contextmanager
def held(connection: BaseDatabaseWrapper, name: str) -> Iterator[bool]:
    """Holds a lock for the block, if it is free; yields whether it was."""
    taken = take(connection, name)
    try:
        yield taken
    finally:
        # A lost connection has lost the lock too, and a new one never had it.
        if taken and connection.is_usable():
            release(connection, name)
