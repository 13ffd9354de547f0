"""Sixteen writers of stored bytes that don't give up: a program for test_storage_kill.

Reads DATABASE_URL, and the instances from the command line; says `done <file>` once the database
has said that the file is counted; ends when its input does. Each upload is tried again, under its
own id, until then: by half of the writers as a plain event, by the others reserved and committed.
"""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import django

WRITERS = 16
SIZE = 7

over = threading.Event()
saying = threading.Lock()


def write(number: int, instance: UUID) -> None:
    """Uploads files one after another until the end."""
    upload = (_record, _reserve_and_commit)[number % 2]
    count = 0
    while not over.is_set():
        name = f"{number}-{count}"
        if upload(instance, name):
            with saying:
                print(f"done {name}", flush=True)
        count += 1


def _record(instance: UUID, name: str) -> bool:
    from storage.models import StorageEvent

    event = StorageEvent(
        id=uuid4(),
        instance_id=instance,
        operation="UPLOAD",
        file_size_bytes=SIZE,
        file_name=name,
        file_url=name,
        file_type="IMAGE",
    )
    return _insist(lambda: StorageEvent.objects.bulk_create([event], ignore_conflicts=True))


def _reserve_and_commit(instance: UUID, name: str) -> bool:
    from storage import services

    made: list[Any] = []
    return _insist(
        lambda: made.append(services.reserve(instance_id=instance, size=SIZE))
    ) and _insist(
        lambda: services.commit(
            reservation_id=made[0].pk, file_name=name, file_url=name, file_type="IMAGE"
        )
    )


def _insist(work: Callable[[], Any]) -> bool:
    """Does it until no connection is lost over it; False if the end came first."""
    from django.db import Error, InterfaceError, OperationalError, connection

    while not over.is_set():
        try:
            work()
            return True
        except (OperationalError, InterfaceError):
            try:
                connection.close()
            except Error:
                connection.connection = None
            time.sleep(0.05)
    return False


def main() -> None:
    """Starts the writers and waits for the end of the input."""
    django.setup()
    instances = [UUID(argument) for argument in sys.argv[1:]]
    threads = [
        threading.Thread(target=write, args=(number, instances[number // 2 % len(instances)]))
        for number in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
