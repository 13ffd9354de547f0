"""Work that is done at once, and guards that are taken away to see what they are for."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

PATIENCE = 30.0  # seconds until a test that hangs fails


def together(*works: Callable[[], Any]) -> list[Any]:
    """Starts all at one moment, each in a thread with a connection of its own.

    Returns what each returned, or the exception that it raised.
    """
    barrier = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(number: int, work: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(PATIENCE)
            results[number] = work()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a thread is stuck"
    return results


class Background:
    """Work that goes on beside the test until it is joined."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.result: Any = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[], Any]) -> None:
        try:
            self.result = work()
        except Exception as error:
            self.result = error
        finally:
            connection.close()

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive()

    def wait_until_blocked_or_done(self) -> None:
        """Returns when the work waits for a lock of ours, or is over."""
        deadline = time.monotonic() + PATIENCE
        while not self.over and not _blocked_by_us():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def join(self, patience: float = PATIENCE) -> Any:
        """Waits for the end; returns the result, or the exception."""
        self._thread.join(patience)
        assert self.over, "a thread is stuck"
        return self.result


def _blocked_by_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            # Not pg_stat_activity, which stays as it was when a transaction first looked.
            "SELECT count(*) FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])


@contextmanager
def changed(function: str, *parts: tuple[str, str]) -> Iterator[None]:
    """The database's function with parts of its text replaced, each of which must be there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(%s::regprocedure)", [function])
        original = text = cursor.fetchone()[0]
        for old, new in parts:
            assert old in text, f"{function} has no {old!r}"
            text = text.replace(old, new)
        cursor.execute(text)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(original)
