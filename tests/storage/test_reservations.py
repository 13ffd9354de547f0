"""Room is set aside before an upload, within the limit, and becomes the upload's event."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from kitehub.db.acting import acting
from storage import services
from storage.lifecycles import RESERVATION
from storage.models import UNLIMITED, Reservation, StorageUsage
from storage.services import QuotaExceeded, ReservationSettled
from tests.storage.ledger import commit, reserved, upload, used, with_room

pytestmark = pytest.mark.django_db


# --- Up to the limit ----------------------------------------------------------------------------


def test_room_is_given_up_to_the_limit_and_not_one_byte_over() -> None:
    instance = with_room(100)
    upload(instance, 30)
    services.reserve(instance_id=instance, size=69)
    with pytest.raises(QuotaExceeded) as refused:
        services.reserve(instance_id=instance, size=2)
    error = refused.value
    assert (error.used, error.reserved, error.limit, error.size) == (30, 69, 100, 2)
    services.reserve(instance_id=instance, size=1)
    assert (used(instance), reserved(instance)) == (30, 70)


def test_an_instance_that_nobody_knows_has_no_room() -> None:
    with pytest.raises(QuotaExceeded) as refused:
        services.reserve(instance_id=uuid4(), size=1)
    assert refused.value.limit == 0


def test_an_unlimited_instance_has_room_for_anything() -> None:
    instance = with_room(UNLIMITED)
    upload(instance, 10**15)
    services.reserve(instance_id=instance, size=UNLIMITED - 10**15)
    with pytest.raises(QuotaExceeded):
        services.reserve(instance_id=instance, size=1)


def test_an_empty_file_needs_no_room() -> None:
    instance = with_room(10)
    upload(instance, 11)
    commit(services.reserve(instance_id=instance, size=0))
    with pytest.raises(QuotaExceeded):
        services.reserve(instance_id=instance, size=1)


def test_a_refusal_leaves_the_callers_transaction_whole() -> None:
    instance = with_room(10)
    with pytest.raises(QuotaExceeded):
        services.reserve(instance_id=instance, size=11)
    assert not Reservation.objects.exists()
    assert reserved(instance) == 0


def test_a_reservation_has_a_size_and_lasts() -> None:
    with pytest.raises(ValueError, match="0 bytes"):
        services.reserve(instance_id=with_room(10), size=-1)
    with pytest.raises(ValueError, match="lasts"):
        services.reserve(instance_id=with_room(10), size=1, ttl=timedelta(0))


def test_raw_sql_gets_no_room_beyond_the_limit_either() -> None:
    instance = with_room(100)
    statement = (
        "INSERT INTO storage_reservations (instance_id, size_bytes, expires_at)"
        " SELECT %s, 10, now() FROM generate_series(1, %s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [instance, 9])
        with pytest.raises(IntegrityError, match="no room"), transaction.atomic():
            cursor.execute(statement, [instance, 2])
        with pytest.raises(IntegrityError, match="no room"), transaction.atomic():
            cursor.execute("UPDATE storage_reservations SET size_bytes = 12")
        assert reserved(instance) == 90
        cursor.execute("UPDATE storage_reservations SET size_bytes = 11")
        assert reserved(instance) == 99
        cursor.execute("DELETE FROM storage_reservations")
    assert reserved(instance) == 0


# --- Commit -------------------------------------------------------------------------------------


def test_a_committed_upload_is_used_and_no_longer_reserved() -> None:
    instance = with_room(100)
    reservation = services.reserve(instance_id=instance, size=60)
    with acting("lan@truong.vn"):
        event = commit(reservation)
    assert (event.operation, event.file_size_bytes, event.file_name) == ("UPLOAD", 60, "a.jpg")
    assert (event.pk, event.created_by) == (reservation.pk, "lan@truong.vn")
    assert (used(instance), reserved(instance)) == (60, 0)


def test_to_commit_again_gives_the_same_event_also_when_the_reservation_is_forgotten() -> None:
    instance = with_room(100)
    reservation = services.reserve(instance_id=instance, size=60)
    assert commit(reservation) == commit(reservation)
    Reservation.objects.all().delete()
    assert commit(reservation).pk == reservation.pk
    assert used(instance) == 60


def test_to_commit_as_another_file_is_an_error() -> None:
    reservation = services.reserve(instance_id=with_room(100), size=60)
    commit(reservation)
    with pytest.raises(ReservationSettled, match=r"committed as .*a\.jpg"):
        commit(reservation, file_url="https://cdn.example.vn/b.jpg")


def test_a_smaller_file_than_reserved_counts_as_what_it_is() -> None:
    instance = with_room(100)
    commit(services.reserve(instance_id=instance, size=60), size=45)
    assert (used(instance), reserved(instance)) == (45, 0)


def test_a_larger_file_than_reserved_needs_room_for_the_rest() -> None:
    instance = with_room(100)
    reservation = services.reserve(instance_id=instance, size=60)
    with pytest.raises(QuotaExceeded) as refused:
        commit(reservation, size=101)
    assert refused.value.size == 41
    assert (used(instance), reserved(instance)) == (0, 60)
    commit(reservation, size=100)
    assert (used(instance), reserved(instance)) == (100, 0)


def test_a_file_of_less_than_nothing_is_refused() -> None:
    reservation = services.reserve(instance_id=with_room(100), size=60)
    with pytest.raises(ValueError, match="0 bytes"):
        commit(reservation, size=-1)


def test_what_was_never_reserved_cannot_be_committed_or_released() -> None:
    stranger = Reservation(id=uuid4())
    with pytest.raises(Reservation.DoesNotExist):
        commit(stranger)
    with pytest.raises(Reservation.DoesNotExist):
        services.release(reservation_id=stranger.pk)


# --- Release ------------------------------------------------------------------------------------


def test_released_room_is_free_and_stays_so() -> None:
    instance = with_room(100)
    reservation = services.reserve(instance_id=instance, size=60)
    services.release(reservation_id=reservation.pk)
    services.release(reservation_id=reservation.pk)
    assert reserved(instance) == 0
    with pytest.raises(ReservationSettled, match="released"):
        commit(reservation)
    assert used(instance) == 0


def test_a_committed_upload_cannot_be_released() -> None:
    reservation = services.reserve(instance_id=with_room(100), size=60)
    commit(reservation)
    with pytest.raises(ReservationSettled, match="committed"):
        services.release(reservation_id=reservation.pk)


# --- The lifecycle ------------------------------------------------------------------------------


@pytest.mark.parametrize("before", RESERVATION.follows)
@pytest.mark.parametrize("after", RESERVATION.follows)
def test_the_database_allows_the_lifecycles_transitions_and_no_others(
    before: str, after: str
) -> None:
    settled = {True: timezone.now(), False: None}
    reservation = Reservation.objects.create(
        instance_id=with_room(100),
        size_bytes=1,
        status=before,
        expires_at=timezone.now(),
        settled_at=settled[before != "OPEN"],
    )
    change = Reservation.objects.filter(pk=reservation.pk)
    values = {"status": after, "settled_at": settled[after != "OPEN"]}
    if RESERVATION.allows(before, after):
        assert change.update(**values) == 1
    else:
        with pytest.raises(IntegrityError, match="cannot become"):
            change.update(**values)


def test_room_can_be_given_back_also_where_the_sum_was_tampered_with() -> None:
    instance = with_room(100)
    reservation = services.reserve(instance_id=instance, size=60)
    StorageUsage.objects.update(reserved_bytes=10)
    services.release(reservation_id=reservation.pk)
    assert reserved(instance) == 0
