"""Killing PostgreSQL under sixteen writers loses nothing that was acknowledged, and counts once.

A backend's death makes PostgreSQL end all others and recover; the server's death ends all at once.
Either way some commits are cut off before their answer. Who got none tries again under the same
id, which the ledger counts once, whether the first try was committed or not. Two controls show what
becomes of it where the log isn't waited for, and where a new try has a new id.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection

from storage.models import StorageEvent
from tests.concurrency.own_server import OwnServer, own_server, wait_until
from tests.concurrency.storage_writers import Writers, lost_connection, record_once, upload_of

WRITERS = 16


@pytest.fixture(scope="module")
def server(django_db_blocker: Any) -> Iterator[OwnServer]:
    with django_db_blocker.unblock():
        with connection._nodb_cursor() as cursor:
            under_test = cursor.connection.info.server_version
        with own_server(under_test // 10_000) as made:
            yield made


def instance_with_room(server: OwnServer) -> UUID:
    instance = uuid4()
    server.execute(
        f"INSERT INTO storage_usage (instance_id, limit_bytes) VALUES ('{instance}', {10**12})"
    )
    return instance


def used(server: OwnServer, instance: UUID) -> int:
    """The bytes in use; 0 where there is no row."""
    rows = server.execute(f"SELECT used_bytes FROM storage_usage WHERE instance_id = '{instance}'")
    return int(rows[0][0]) if rows else 0


# --- Sixteen writers -----------------------------------------------------------------------------


def test_kills_lose_nothing_acknowledged_and_count_nothing_twice(server: OwnServer) -> None:
    hot = instance_with_room(server)
    with Writers(server, count=WRITERS, hot=hot) as writers:
        for kill in ("a backend", "a backend", "the server", "a backend", "the server"):
            writers.wait_for_more(100)
            if kill == "a backend":
                server.kill_a_writer()
            else:
                server.kill()
                server.start()
        writers.wait_for_more(100)
        writers.end()

    assert len(writers.interruptions) >= WRITERS  # the kills met them at work
    # No more and no less: each that was acknowledged is there, and once.
    events = server.execute("SELECT id, instance_id, file_size_bytes FROM storage_events")
    assert sorted(events) == sorted(writers.acknowledged)
    sums = server.execute("SELECT instance_id, used_bytes FROM storage_usage")
    assert dict(sums) == writers.used()
    assert len(sums) > WRITERS  # the hot one, and those that were new
    # A reservation whose answer was lost is made anew, so some stay open.
    ((held, there),) = server.execute(
        "SELECT reserved_bytes, (SELECT COALESCE(sum(size_bytes), 0) FROM storage_reservations"
        " AS open WHERE open.instance_id = usage.instance_id AND status = 'OPEN')"
        f" FROM storage_usage AS usage WHERE instance_id = '{hot}'"
    )
    assert held == there


# --- Acknowledged is written ---------------------------------------------------------------------


def left_of_five_uploads(server: OwnServer, *, synchronous_commit: str) -> tuple[int, int]:
    """Events and bytes, of five bytes acknowledged one by one, after the server was killed.

    Nobody but the writer itself writes the log, so it is there because the writer waited for it.
    """
    instance = uuid4()
    server.hold_the_wal_writer()

    def upload_five() -> None:
        for _ in range(5):
            record_once(upload_of(instance, 1))

    uploads = server.at_work(upload_five, synchronous_commit=synchronous_commit)
    assert uploads.join() is None
    assert used(server, instance) == 5
    server.kill()
    server.start()
    ((events,),) = server.execute(
        f"SELECT count(*) FROM storage_events WHERE instance_id = '{instance}'"
    )
    return events, used(server, instance)


def test_uploads_are_written_before_they_are_acknowledged(server: OwnServer) -> None:
    assert left_of_five_uploads(server, synchronous_commit="on") == (5, 5)


def test_control_without_synchronous_commit_acknowledged_uploads_are_lost(
    server: OwnServer,
) -> None:
    assert left_of_five_uploads(server, synchronous_commit="off") == (0, 0)


# --- In doubt is tried again ---------------------------------------------------------------------


def upload_without_answer(server: OwnServer) -> StorageEvent:
    """An upload of 7 bytes that is committed, by a server that was killed before saying so."""
    server.kill()
    # A commit then is on disk here, and waits for a standby that never comes.
    server.start(synchronous_standby_names="nobody")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    while True:
        event = upload_of(uuid4(), 7)
        upload = server.at_work(lambda event=event: record_once(event))
        wait_until(lambda upload=upload: upload.over or server.execute(waiting) == [(1,)])
        # For a moment after the start, PostgreSQL doesn't know yet that it has to wait.
        if not upload.over:
            break
        assert upload.join() is None
    server.kill()
    assert isinstance(upload.join(), OperationalError)
    assert lost_connection(upload.join())
    server.start()
    assert used(server, event.instance_id) == 7
    return event


def test_an_upload_without_answer_is_counted_once_when_tried_again(server: OwnServer) -> None:
    event = upload_without_answer(server)
    assert server.at_work(lambda: record_once(event)).join() is None
    assert used(server, event.instance_id) == 7


def test_control_tried_again_under_a_new_id_it_is_counted_twice(server: OwnServer) -> None:
    event = upload_without_answer(server)
    again = upload_of(event.instance_id, 7)
    assert server.at_work(lambda: record_once(again)).join() is None
    assert used(server, event.instance_id) == 14
