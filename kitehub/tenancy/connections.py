"""The connections to silos that a thread holds open: a few, the least recently used one goes."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.local import Local
from django.conf import settings
from django.contrib.postgres.signals import register_type_handlers
from django.db import connections
from django.db.backends.signals import connection_created

from kitehub.tenancy.placement import undeclare

# Idle for longer than this, a connection is asked whether it still lives before it is used.
_TRUSTED_SECONDS = 5.0


# What a thread, or under async a task, holds: how often each alias is in use, and the moment of its
# last use. Django keeps the connections themselves in the same way.
_held: Any = Local(thread_critical=True)


@contextmanager
def holding(alias: str) -> Iterator[None]:
    """Keeps a silo's connection open for the block, and afterwards as long as there is room.

    KITEHUB_OPEN_SILOS is how many a thread keeps. One that is in use, or in a transaction, is never
    closed. A coroutine holds none: its queries run in threads, for which `make_room` is
    called when they connect.
    """
    if _in_event_loop():
        yield
        return
    uses, last = _of_this_thread()
    connection = connections[alias]
    if time.monotonic() - last.get(alias, 0.0) > _TRUSTED_SECONDS and not uses.get(alias):
        connection.close_if_unusable_or_obsolete()
    uses[alias] = uses.get(alias, 0) + 1
    try:
        yield
    finally:
        uses[alias] -= 1
        last[alias] = time.monotonic()
        last.move_to_end(alias)
        _close_beyond(settings.KITEHUB_OPEN_SILOS, uses, last)


def make_room(alias: str) -> None:
    """Counts a silo that this thread just connected to, and closes what is too much then."""
    uses, last = _of_this_thread()
    last[alias] = time.monotonic()
    last.move_to_end(alias)
    _close_beyond(settings.KITEHUB_OPEN_SILOS, {**uses, alias: 1}, last)


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def opened() -> list[str]:
    """The silos that this thread holds a connection to, the least recently used first."""
    return list(_of_this_thread()[1])


def close_all() -> None:
    """Closes this thread's connections to silos."""
    _close_beyond(0, *_of_this_thread())


def forget(alias: str) -> None:
    """Closes this thread's connection to a silo that no instance lives in, and drops the alias."""
    connections[alias].close()
    del connections[alias]
    undeclare(alias)


@contextmanager
def bare_connections() -> Iterator[None]:
    """Spares each new silo two queries for the types of extensions that no column here has.

    Django asks for hstore and citext on the first connection to each alias.
    """
    asked = connection_created.disconnect(register_type_handlers)
    try:
        yield
    finally:
        if asked:
            connection_created.connect(register_type_handlers)


def _of_this_thread() -> tuple[dict[str, int], "OrderedDict[str, float]"]:
    if not hasattr(_held, "uses"):
        _held.uses, _held.last = {}, OrderedDict()
    return _held.uses, _held.last


def _close_beyond(room: int, uses: dict[str, int], last: "OrderedDict[str, float]") -> None:
    idle = [alias for alias in last if not uses.get(alias)]
    for alias in idle[: max(len(last) - room, 0)]:
        connection = connections[alias]
        if connection.in_atomic_block:
            continue
        connection.close()
        del connections[alias], last[alias]
        uses.pop(alias, None)
