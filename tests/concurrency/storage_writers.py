"""Writers of stored bytes that don't give up, and remember what the database acknowledged."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Self
from uuid import UUID, uuid4

import psycopg
from django.db import Error, InterfaceError, OperationalError, connection

from storage import services
from storage.models import StorageEvent
from tests.concurrency.own_server import LONG, OwnServer, wait_until
from tests.storage.ledger import FILE

# No connection, ended, ended because another was killed, not ready: whatever else is a failure.
LOST = {None, "57P01", "57P02", "57P03"}

Upload = tuple[UUID, UUID, int]  # event, instance, bytes


class Writers:
    """So many threads that upload files to a server, each on a connection of its own.

    Three of four files go to the hot instance, the others to instances that are new. Half of the
    threads write the event itself; the others reserve first, which needs the hot one's limit.
    """

    def __init__(self, server: OwnServer, *, count: int, hot: UUID) -> None:
        self.hot = hot
        self.acknowledged: list[Upload] = []
        self.interruptions: list[str] = []
        self._over = threading.Event()
        self._abandoned = threading.Event()
        ways = (self._record, self._reserve_and_commit)
        self._threads = [
            server.at_work(lambda number=number: self._run(ways[number % 2], number))
            for number in range(count)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._over.set()
        self._abandoned.set()
        wait_until(lambda: all(thread.over for thread in self._threads))

    def wait_for_more(self, count: int) -> None:
        """Returns once so many more uploads were acknowledged."""
        goal = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= goal or self._failed())
        assert not self._failed(), [thread.result for thread in self._threads]

    def end(self) -> None:
        """Lets each finish the upload it is at."""
        self._over.set()
        assert [thread.join(LONG) for thread in self._threads] == [None] * len(self._threads)

    def used(self) -> dict[UUID, int]:
        """What each instance stores, going by what was acknowledged."""
        total: Counter[UUID] = Counter()
        for _, instance, size in self.acknowledged:
            total[instance] += size
        return dict(total)

    def _failed(self) -> bool:
        return any(thread.result is not None for thread in self._threads)

    def _run(self, way: Callable[[int, int], Upload], number: int) -> None:
        for count in itertools.count():
            if self._over.is_set():
                return
            self.acknowledged.append(way(count, number + 1))

    def _record(self, count: int, size: int) -> Upload:
        instance = uuid4() if count % 4 == 3 else self.hot
        event = upload_of(instance, size)
        self._insist(lambda: record_once(event))
        return event.pk, instance, size

    def _reserve_and_commit(self, count: int, size: int) -> Upload:
        instance = self.hot
        reservation = self._insist(lambda: services.reserve(instance_id=instance, size=size))
        self._insist(lambda: services.commit(reservation_id=reservation.pk, **FILE))
        return reservation.pk, instance, size

    def _insist(self, work: Callable[[], Any]) -> Any:
        """Does the same again until no connection is lost over it."""
        while True:
            try:
                return work()
            except (OperationalError, InterfaceError) as error:
                if not lost_connection(error):
                    raise
                if self._abandoned.is_set():
                    raise
                self.interruptions.append(str(error))
                connection.close()
                time.sleep(0.02)


def upload_of(instance: UUID, size: int) -> StorageEvent:
    """An event not yet written, with its id."""
    return StorageEvent(
        id=uuid4(), instance_id=instance, operation="UPLOAD", file_size_bytes=size, **FILE
    )


def record_once(event: StorageEvent) -> None:
    """Writes the event unless it is there: who got no answer may do it again."""
    StorageEvent.objects.bulk_create([event], ignore_conflicts=True)


def lost_connection(error: Error) -> bool:
    """Whether the server went away, rather than refused."""
    cause = error.__cause__
    return isinstance(cause, psycopg.Error) and cause.sqlstate in LOST
