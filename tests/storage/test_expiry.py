"""Reservations that nobody ends: others may have their room, and a late upload has a chance."""

from datetime import timedelta

import pytest
from django.utils import timezone

from storage import services
from storage.models import Reservation
from storage.services import QuotaExceeded
from tests.storage.ledger import commit, reserved, used, with_room

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def test_overdue_room_goes_to_who_needs_it_and_only_then() -> None:
    instance = with_room(100)
    now = timezone.now()
    first = services.reserve(instance_id=instance, size=60, at=now)
    with pytest.raises(QuotaExceeded):
        services.reserve(instance_id=instance, size=50, at=now + HOUR - timedelta(seconds=1))
    services.reserve(instance_id=instance, size=40, at=now + HOUR)
    assert reserved(instance) == 100
    services.reserve(instance_id=instance, size=50, at=now + HOUR)
    first.refresh_from_db()
    assert (first.status, reserved(instance)) == ("EXPIRED", 90)


def test_an_overdue_upload_whose_room_nobody_took_is_committed() -> None:
    instance = with_room(100)
    now = timezone.now()
    reservation = services.reserve(instance_id=instance, size=60, at=now)
    commit(reservation, at=now + 5 * HOUR)
    assert (used(instance), reserved(instance)) == (60, 0)


def test_an_expired_upload_is_admitted_anew_where_there_is_room() -> None:
    instance = with_room(100)
    now = timezone.now()
    reservation = services.reserve(instance_id=instance, size=60, at=now)
    services.expire_reservations(at=now + HOUR)
    services.reserve(instance_id=instance, size=70, at=now + HOUR)
    with pytest.raises(QuotaExceeded):
        commit(reservation, at=now + HOUR)
    reservation.refresh_from_db()
    assert (reservation.status, used(instance)) == ("EXPIRED", 0)
    # By then the other one is overdue as well.
    commit(reservation, at=now + 2 * HOUR)
    assert (used(instance), reserved(instance)) == (60, 0)


def test_expired_reservations_can_be_released() -> None:
    instance = with_room(100)
    now = timezone.now()
    reservation = services.reserve(instance_id=instance, size=60, at=now)
    services.expire_reservations(at=now + HOUR)
    services.release(reservation_id=reservation.pk)
    assert reserved(instance) == 0


def test_the_purge_expires_what_is_overdue_and_forgets_what_is_long_settled() -> None:
    now = timezone.now()
    schools = [with_room(100), with_room(100)]
    for school in schools:
        services.reserve(instance_id=school, size=10, at=now)
        services.reserve(instance_id=school, size=10, at=now + HOUR)
    committed = services.reserve(instance_id=schools[0], size=5, at=now)
    commit(committed, at=now)
    assert services.expire_reservations(at=now + HOUR) == services.Purge(expired=2, forgotten=0)
    assert [reserved(school) for school in schools] == [10, 10]
    later = now + timedelta(days=7) + timedelta(minutes=1)
    assert services.expire_reservations(at=later) == services.Purge(expired=2, forgotten=1)
    assert not Reservation.objects.open().exists()
    assert used(schools[0]) == 5


def test_the_purge_goes_on_past_its_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 2)
    instance, now = with_room(100), timezone.now()
    for _ in range(5):
        services.reserve(instance_id=instance, size=1, at=now)
    assert services.expire_reservations(at=now + HOUR).expired == 5
    assert services.expire_reservations(at=now + 2 * HOUR, keep=HOUR / 2).forgotten == 5
