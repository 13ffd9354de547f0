"""Questions about storage: right answers, from the plan's indexes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from storage.enums import StorageOperation
from storage.models import RARE_OPERATIONS, StorageEvent, StorageUsage
from tests.explain import filled, indexes_used, is_sorted_by_index, serves
from tests.factories.storage import StorageEventFactory, StorageUsageFactory
from tests.storage.ledger import upload, with_room

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="class")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A file a minute up to NOW, of two thousand schools in turn."""
    columns = {
        "instance_id": "lpad(to_hex(n % 2000), 32, '0')::uuid",
        "file_type": "'IMAGE'",
        "file_name": "n || '.jpg'",
        "file_url": "'https://cdn.example.vn/' || n || '.jpg'",
        "file_size_bytes": "n",
        "operation": "CASE WHEN n % 5 = 0 THEN 'DELETE' ELSE 'UPLOAD' END",
        "created_at": f"'{NOW}'::timestamptz - (100000 - n) * interval '1 minute'",
    }
    with django_db_blocker.unblock(), filled("storage_events", columns):
        yield


@pytest.mark.usefixtures("many")
class TestOnAHundredThousandEvents:
    def test_the_latest_come_sorted_from_their_index(self) -> None:
        page = StorageEvent.objects.newest_first()[:50]
        assert indexes_used(page) == {"idx_storage_events_created"}
        assert is_sorted_by_index(page)
        assert [event.file_name for event in page[:2]] == ["100000.jpg", "99999.jpg"]

    def test_a_schools_events_come_from_their_index(self) -> None:
        own = StorageEvent.objects.of_instance(UUID(int=7))
        assert indexes_used(own) == {"idx_storage_events_instance"}
        assert indexes_used(own.newest_first()[:20]) == {"idx_storage_events_instance"}
        assert own.count() == 50

    def test_an_index_has_what_is_no_upload(self) -> None:
        for operation in StorageOperation:
            rare = StorageEvent.objects.filter(operation=operation)
            is_in_it = operation in RARE_OPERATIONS
            assert serves("idx_storage_events_list_rare", rare) is is_in_it, operation


@pytest.fixture(scope="class")
def many_schools(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A hundred thousand schools, of which one in a thousand is nearly full and fewer are over."""
    columns = {
        "instance_id": "lpad(to_hex(n * 7919 % 100003), 32, '0')::uuid",
        "used_bytes": "CASE WHEN n % 1000 = 0 THEN 95 WHEN n % 4000 = 1 THEN 105 ELSE n % 90 END",
        "limit_bytes": "100",
    }
    with django_db_blocker.unblock(), filled("storage_usage", columns):
        yield


@pytest.mark.usefixtures("many_schools")
class TestOnAHundredThousandSchools:
    def test_the_nearly_full_come_sorted_from_their_index(self) -> None:
        page = StorageUsage.objects.nearly_full().order_by("instance_id")[:51]
        assert indexes_used(page) == {"idx_storage_usage_nearly_full"}
        assert is_sorted_by_index(page)
        assert StorageUsage.objects.nearly_full().count() == 125

    def test_those_over_the_limit_come_from_theirs(self) -> None:
        page = StorageUsage.objects.over_limit().order_by("instance_id")[:51]
        assert indexes_used(page) == {"idx_storage_usage_over_limit"}
        assert StorageUsage.objects.over_limit().count() == 25


def updates() -> tuple[int, int]:
    """How often this transaction has updated a usage row, and how often without its indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables"
            " WHERE relid = 'storage_usage'::regclass"
        )
        all_of_them, hot = cursor.fetchone()
        return all_of_them, hot


def test_an_upload_writes_to_no_index_but_where_it_passes_a_mark() -> None:
    school = with_room(100)
    before = updates()
    upload(school, 50)
    upload(school, 40)
    assert updates() == (before[0] + 2, before[1] + 2)
    upload(school, 5)  # 95 %
    assert updates() == (before[0] + 3, before[1] + 2)
    assert StorageUsage.objects.nearly_full().get().instance_id == school


def test_over_the_limit_is_more_than_it() -> None:
    StorageUsageFactory(used_bytes=99, limit_bytes=100)
    StorageUsageFactory(used_bytes=100, limit_bytes=100)
    over = StorageUsageFactory(used_bytes=101, limit_bytes=100)
    assert StorageUsage.objects.over_limit().get() == over


@pytest.mark.parametrize(
    ("used", "limit", "is_nearly_full"),
    [(90, 100, False), (91, 100, True), (101, 100, True), (0, 0, False), (0, 100, False)],
)
def test_nearly_full_is_more_than_nine_tenths(used: int, limit: int, is_nearly_full: bool) -> None:
    StorageUsageFactory(used_bytes=used, limit_bytes=limit)
    assert StorageUsage.objects.nearly_full().exists() is is_nearly_full


def test_a_share_is_not_rounded_to_bytes() -> None:
    StorageUsageFactory(used_bytes=10, limit_bytes=11)  # 90.9 %
    StorageUsageFactory(used_bytes=8, limit_bytes=9)  # 88.9 %
    assert StorageUsage.objects.nearly_full().get().used_bytes == 10


def test_a_share_of_the_largest_limits_does_not_overflow() -> None:
    largest = 2**63 - 1
    StorageUsageFactory(used_bytes=largest, limit_bytes=largest)
    assert StorageUsage.objects.nearly_full()
    assert not StorageUsage.objects.over_limit()


def test_who_may_store_nothing_is_full_with_the_first_byte() -> None:
    StorageUsageFactory(used_bytes=0, limit_bytes=0)
    first = StorageUsageFactory(used_bytes=1, limit_bytes=0)
    assert StorageUsage.objects.nearly_full().get() == first
    assert StorageUsage.objects.over_limit().get() == first


def test_a_mark_follows_each_change_of_the_bytes_and_of_the_limit() -> None:
    usage = StorageUsageFactory(used_bytes=50, limit_bytes=100)
    row = StorageUsage.objects.filter(pk=usage.pk)
    assert not row.nearly_full()
    row.update(used_bytes=95)
    assert row.nearly_full()
    assert not row.over_limit()
    row.update(limit_bytes=90)
    assert row.nearly_full()
    assert row.over_limit()
    row.update(limit_bytes=1_000)
    assert not row.nearly_full()


def test_events_are_of_one_school_and_newest_first() -> None:
    school = uuid4()
    old, new = (
        StorageEventFactory(instance_id=school, created_at=NOW + timedelta(minutes=n))
        for n in range(2)
    )
    StorageEventFactory()
    assert list(StorageEvent.objects.of_instance(school).newest_first()) == [new, old]
