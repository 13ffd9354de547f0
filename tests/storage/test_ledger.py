"""Events add up to the bytes in use, whoever writes them, and stay as they were written."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from kitehub.db.acting import acting
from storage import services
from storage.models import StorageEvent, StorageUsage
from tests.factories.storage import StorageEventFactory
from tests.storage.ledger import COLUMNS, delete, upload, usage, used, with_room, write

pytestmark = pytest.mark.django_db


def role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return cursor.fetchone()[0]


# --- Counting -----------------------------------------------------------------------------------


def test_uploads_add_and_deletions_take_off() -> None:
    instance = uuid4()
    upload(instance, 700)
    upload(instance, 300)
    delete(instance, 200)
    assert used(instance) == 800


def test_rows_of_one_statement_count_for_their_instances() -> None:
    first, second = uuid4(), uuid4()
    write(
        (second, "UPLOAD", 5),
        (first, "UPLOAD", 100),
        (second, "UPLOAD", 7),
        (first, "DELETE", 60),
        (second, "DELETE", 1),
    )
    assert (used(first), used(second)) == (40, 11)


def test_ten_thousand_rows_at_once_are_one_update_of_the_sum() -> None:
    instance = uuid4()
    upload(instance, 1)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO storage_events ({COLUMNS}) SELECT %s, 'IMAGE', 'a', 'u', 10, 'UPLOAD'"
            " FROM generate_series(1, 10000)",
            [instance],
        )
        assert used(instance) == 100_001
        # A row's version is its cmin: the second statement about it, not the ten-thousandth.
        cursor.execute("SELECT cmin::text::int FROM storage_usage")
        assert cursor.fetchone()[0] < 100


def test_an_event_that_is_there_already_counts_once() -> None:
    instance = uuid4()
    event = StorageEventFactory(instance_id=instance, file_size_bytes=5)
    StorageEvent.objects.bulk_create(
        [StorageEventFactory.build(id=event.pk, instance_id=instance, file_size_bytes=5)],
        ignore_conflicts=True,
    )
    assert used(instance) == 5


def test_a_statement_without_rows_counts_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO storage_events ({COLUMNS}) SELECT {COLUMNS} FROM storage_events"
        )
    assert not StorageUsage.objects.exists()


def test_facts_are_counted_also_beyond_the_limit() -> None:
    instance = with_room(100)
    services.record(
        instance_id=instance,
        operation="UPLOAD",
        size=5_000,
        file_name="a",
        file_url="u",
        file_type="IMAGE",
    )
    assert used(instance) == 5_000
    assert StorageUsage.objects.over_limit().filter(instance_id=instance).exists()


def test_a_fact_told_again_under_its_id_counts_once() -> None:
    instance = with_room(0)
    fact = {
        "instance_id": instance,
        "operation": "UPLOAD",
        "size": 70,
        "file_name": "a",
        "file_url": "u",
        "file_type": "IMAGE",
        "event_id": uuid4(),
    }
    first, again = services.record(**fact), services.record(**fact)
    assert first == again
    assert used(instance) == 70
    for other in ({"size": 71}, {"instance_id": uuid4()}):
        with pytest.raises(ValueError, match="another event"):
            services.record(**{**fact, **other})
    assert used(instance) == 70


# --- Deleting more than there is ----------------------------------------------------------------


def test_deleting_more_than_is_counted_leaves_nothing_and_says_so() -> None:
    instance = uuid4()
    upload(instance, 100)
    delete(instance, 150)
    assert used(instance) == 0
    adjustment = StorageEvent.objects.get(operation="ADJUST")
    assert adjustment.file_size_bytes == 50
    assert adjustment.reason == "Deleted more than was counted"
    assert adjustment.created_by == f"db:{role()}"
    upload(instance, 30)
    assert used(instance) == 30


def test_deleting_from_an_instance_that_has_nothing_is_allowed() -> None:
    instance = uuid4()
    delete(instance, 150)
    assert used(instance) == 0


def test_a_statement_that_deletes_and_uploads_counts_as_a_whole() -> None:
    first, second = uuid4(), uuid4()
    upload(first, 100)
    write((first, "DELETE", 150), (second, "DELETE", 9), (first, "UPLOAD", 70))
    assert (used(first), used(second)) == (20, 0)
    assert StorageEvent.objects.get(operation="ADJUST").instance_id == second


def test_an_adjustment_cannot_take_what_is_not_there() -> None:
    instance = uuid4()
    upload(instance, 100)
    with pytest.raises(IntegrityError, match="used_bytes_check"), transaction.atomic():
        write((instance, "ADJUST", -101))
    write((instance, "ADJUST", -100))
    assert used(instance) == 0


# --- What is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["UPLOAD", "DELETE"])
def test_sizes_below_nothing_are_refused(operation: str) -> None:
    instance = uuid4()
    with pytest.raises(IntegrityError, match="size_check"), transaction.atomic():
        write((instance, operation, -1))
    with pytest.raises(ValueError, match="0 bytes"):
        services.record(
            instance_id=instance,
            operation=operation,
            size=-1,
            file_name="a",
            file_url="u",
            file_type="IMAGE",
        )
    assert not StorageUsage.objects.filter(instance_id=instance).exists()


def test_only_adjustments_correct() -> None:
    with pytest.raises(IntegrityError, match="correction_check"):
        StorageEventFactory(correction_bytes=1)


def test_unknown_operations_are_refused() -> None:
    with pytest.raises(IntegrityError, match="operation_check"):
        write((uuid4(), "COPY", 1))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE storage_events SET file_size_bytes = 1",
        "UPDATE storage_events SET file_name = file_name",
        "DELETE FROM storage_events",
        "TRUNCATE storage_events",
    ],
)
def test_events_are_for_ever(statement: str) -> None:
    instance = uuid4()
    upload(instance, 100)
    with (
        pytest.raises(IntegrityError, match="storage_events is append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert used(instance) == 100


# --- Who and why --------------------------------------------------------------------------------


def test_events_say_who_and_why() -> None:
    instance = uuid4()
    with acting("lan@truong.vn", "Term begins"):
        upload(instance, 1)
    event = StorageEvent.objects.get(instance_id=instance)
    assert (event.created_by, event.reason) == ("lan@truong.vn", "Term begins")


def test_without_an_actor_the_event_names_the_role() -> None:
    instance = uuid4()
    upload(instance, 1)
    event = StorageEvent.objects.get(instance_id=instance)
    assert (event.created_by, event.reason) == (f"db:{role()}", None)


def test_an_actor_given_as_null_is_filled_and_a_given_one_kept() -> None:
    with acting("lan@truong.vn"):
        assert StorageEventFactory(created_by=None).created_by == "lan@truong.vn"
        assert StorageEventFactory(created_by="app").created_by == "app"
    assert StorageEventFactory(created_by=None).created_by == f"db:{role()}"


def test_the_last_change_is_the_last_event() -> None:
    instance = with_room(10)
    StorageUsage.objects.update(last_updated="2020-01-01T00:00:00Z")
    before = usage(instance).last_updated
    upload(instance, 1)
    assert usage(instance).last_updated > before
