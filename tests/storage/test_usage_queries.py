"""Questions about storage: right answers, from the plan's indexes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from storage.models import StorageEvent, StorageUsage
from tests.explain import filled, indexes_used, is_sorted_by_index
from tests.factories.storage import StorageEventFactory, StorageUsageFactory

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


def test_over_the_limit_is_more_than_it() -> None:
    StorageUsageFactory(used_bytes=99, limit_bytes=100)
    StorageUsageFactory(used_bytes=100, limit_bytes=100)
    over = StorageUsageFactory(used_bytes=101, limit_bytes=100)
    assert StorageUsage.objects.over_limit().get() == over


@pytest.mark.parametrize(
    ("used", "percent", "is_above"),
    [
        (80, 80, False),
        (81, 80, True),
        (79, 80, False),
        (1, 0, True),
        (0, 0, False),
        (100, 100, False),
    ],
)
def test_above_a_share_is_more_than_it(used: int, percent: int, is_above: bool) -> None:
    StorageUsageFactory(used_bytes=used, limit_bytes=100)
    assert StorageUsage.objects.above(percent).exists() is is_above


def test_a_share_is_not_rounded_to_bytes() -> None:
    StorageUsageFactory(used_bytes=1, limit_bytes=3)  # 33.3 %
    assert StorageUsage.objects.above(33)
    assert not StorageUsage.objects.above(34)


def test_a_share_of_the_largest_limits_does_not_overflow() -> None:
    largest = 2**63 - 1
    StorageUsageFactory(used_bytes=largest, limit_bytes=largest)
    assert StorageUsage.objects.above(99)
    assert not StorageUsage.objects.above(100)


def test_who_may_store_nothing_is_above_any_share_with_the_first_byte() -> None:
    StorageUsageFactory(used_bytes=0, limit_bytes=0)
    first = StorageUsageFactory(used_bytes=1, limit_bytes=0)
    assert StorageUsage.objects.above(90).get() == StorageUsage.objects.over_limit().get() == first


def test_events_are_of_one_school_and_newest_first() -> None:
    school = uuid4()
    old, new = (
        StorageEventFactory(instance_id=school, created_at=NOW + timedelta(minutes=n))
        for n in range(2)
    )
    StorageEventFactory()
    assert list(StorageEvent.objects.of_instance(school).newest_first()) == [new, old]
