"""Room for uploads under many writers at once; each guard is taken away to see what it is for."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from storage import services
from storage.models import Reservation, StorageEvent
from storage.services import QuotaExceeded, ReservationSettled
from tests.concurrency.threads import Background, changed, together
from tests.storage.ledger import FILE, upload, usage, used, with_room

pytestmark = pytest.mark.django_db(transaction=True)


# --- The quota ----------------------------------------------------------------------------------


def admitted(instance: UUID, *, writers: int = 32, size: int = 1000) -> int:
    """How many of so many reservations at once got room; every other one was refused."""
    results = together(*[lambda: services.reserve(instance_id=instance, size=size)] * writers)
    refused = [result for result in results if isinstance(result, QuotaExceeded)]
    given = [result for result in results if isinstance(result, Reservation)]
    assert len(refused) + len(given) == writers, results
    assert Reservation.objects.open().of_instance(instance).count() == len(given)
    assert usage(instance).reserved_bytes == size * len(given)
    return len(given)


def test_32_writers_fill_the_limit_and_not_one_byte_more() -> None:
    assert admitted(with_room(20_999)) == 20


def test_control_who_looks_before_taking_admits_too_much() -> None:
    take = (
        "UPDATE storage_usage SET reserved_bytes = reserved_bytes + held\n"
        "        WHERE instance_id = instance AND held <="
        " limit_bytes - used_bytes - reserved_bytes;\n        EXIT WHEN FOUND;"
    )
    look_and_take = (
        "PERFORM FROM storage_usage"
        " WHERE instance_id = instance AND held <= limit_bytes - used_bytes - reserved_bytes;"
        " IF FOUND THEN PERFORM pg_sleep(0.1);"
        " UPDATE storage_usage SET reserved_bytes = reserved_bytes + held"
        " WHERE instance_id = instance; RETURN; END IF;"
    )
    with changed("hold_storage(uuid,bigint)", (take, look_and_take)):
        assert admitted(with_room(20_999)) > 20


def test_facts_and_reservations_at_once_keep_to_the_limit() -> None:
    instance = with_room(10_000)
    results = together(
        *[lambda: services.reserve(instance_id=instance, size=1000)] * 8,
        *[lambda: upload(instance, 500)] * 8,
    )
    given = [result for result in results if isinstance(result, Reservation)]
    assert used(instance) == 4_000
    assert 6 <= len(given) <= 8  # a reservation may well come before the facts


# --- The room of the overdue ---------------------------------------------------------------------


def test_the_room_of_the_overdue_is_given_to_as_many_as_fit() -> None:
    instance = with_room(20_999)
    long_ago = timezone.now() - timedelta(hours=2)
    for _ in range(4):
        services.reserve(instance_id=instance, size=5_000, at=long_ago)
    results = together(*[lambda: services.reserve(instance_id=instance, size=1000)] * 32)
    given = [result for result in results if isinstance(result, Reservation)]
    assert len(given) == 20, results
    assert usage(instance).reserved_bytes == 20_000


def test_room_given_back_between_two_looks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = with_room(1000)
    other = services.reserve(instance_id=instance, size=1000)
    expire = services._expire

    def too_late(instance_id: UUID, **options: Any) -> int:
        together(lambda: services.release(reservation_id=other.pk))
        return expire(instance_id, **options)

    monkeypatch.setattr(services, "_expire", too_late)
    assert services.reserve(instance_id=instance, size=1000).status == "OPEN"


def overdue_upload_committed_while_another_needs_its_room() -> tuple[Any, Any]:
    """What the commit and the other's reservation came to."""
    instance = with_room(1000)
    long_ago = timezone.now() - timedelta(hours=2)
    overdue = services.reserve(instance_id=instance, size=600, at=long_ago)
    with transaction.atomic():
        Reservation.objects.select_for_update().get(pk=overdue.pk)
        other = Background(lambda: services.reserve(instance_id=instance, size=600))
        other.wait_until_blocked_or_done()
        try:
            with transaction.atomic():
                committed: Any = services.commit(reservation_id=overdue.pk, **FILE)
        except OperationalError as error:
            committed = error
    return committed, other.join()


def test_who_needs_room_passes_by_an_overdue_upload_that_is_being_committed() -> None:
    committed, refused = overdue_upload_committed_while_another_needs_its_room()
    assert isinstance(committed, StorageEvent)
    assert isinstance(refused, QuotaExceeded)


def test_control_who_waits_for_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    select_for_update = QuerySet.select_for_update
    monkeypatch.setattr(
        QuerySet, "select_for_update", lambda rows, **options: select_for_update(rows)
    )
    results = overdue_upload_committed_while_another_needs_its_room()
    assert [result for result in results if "deadlock" in str(result)]


# --- Ends of one reservation ---------------------------------------------------------------------


def test_the_same_commit_at_once_counts_once() -> None:
    instance = with_room(10_000)
    reservation = services.reserve(instance_id=instance, size=1000)
    events = together(*[lambda: services.commit(reservation_id=reservation.pk, **FILE)] * 8)
    assert {event.pk for event in events} == {reservation.pk}
    assert (used(instance), usage(instance).reserved_bytes) == (1000, 0)


def test_of_a_commit_and_a_release_at_once_one_wins() -> None:
    instance = with_room(100_000)
    for _ in range(10):
        before = used(instance)
        reservation = services.reserve(instance_id=instance, size=1000)
        committed, released = together(
            lambda pk=reservation.pk: services.commit(reservation_id=pk, **FILE),
            lambda pk=reservation.pk: services.release(reservation_id=pk),
        )
        assert isinstance(committed, ReservationSettled) != isinstance(released, ReservationSettled)
        assert used(instance) - before == (1000 if released else 0)
        assert usage(instance).reserved_bytes == 0
