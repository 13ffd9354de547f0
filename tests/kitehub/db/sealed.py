"""What the tests of encrypted columns share: keys, the column on the disk, other writers."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from cryptography.fernet import Fernet
from django.db import connection, transaction

from kitehub.models import Instance

OLD = "b2xkLWtleS1vZi10aGUtdGVzdHMtMDAwMDAwMDAwMDA="
NEW = "bmV3LWtleS1vZi10aGUtdGVzdHMtMDAwMDAwMDAwMDA="


def token(text: str, key: str = OLD) -> str:
    return Fernet(key).encrypt(text.encode()).decode()


def opens(stored: str, key: str) -> str:
    return Fernet(key).decrypt(stored).decode()


def stored(school: Any) -> str:
    """What the column of this row holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT database_password FROM instances WHERE id = %s", [school.pk])
        return cursor.fetchone()[0]


@contextmanager
def unguarded() -> Iterator[None]:
    """Without triggers, as a replication role or an older version of the schema writes."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = origin")


def store(school: Any, value: str) -> None:
    """Writes into the column behind everybody's back."""
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE instances SET database_password = %s WHERE id = %s", [value, school.pk]
        )


@contextmanager
def writing(row: Instance, password: str = "") -> Iterator[Callable[[], None]]:
    """Another session that has locked or written a row and not committed; call it to commit."""
    written, commit = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                rows = Instance.objects.filter(pk=row.pk)
                assert rows.select_for_update().exists()
                if password:
                    rows.update(database_password=password)
                written.set()
                assert commit.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(write)
        assert written.wait(30)
        try:
            yield lambda: (commit.set(), done.result(30))
        finally:
            commit.set()


def until_somebody_waits_for_a_lock() -> None:
    deadline = time.monotonic() + 30
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


def in_thread(act: Callable[[], object]) -> object:
    try:
        return act()
    finally:
        connection.close()
