"""The plan's questions about guests: right answers, from the indexes made for them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from analytics.enums import EventType
from analytics.models import RARE_EVENTS, GuestEvent, GuestSession
from tests.explain import filled, indexes_used, is_sorted_by_index, serves
from tests.factories.analytics import GuestEventFactory, GuestSessionFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
RETAINED = NOW - 90 * DAY
WHEN = f"'{NOW}'::timestamptz - (100000 - n) * interval '79 seconds'"  # some 91 days
EXPIRED = sum((100_000 - n) * 79 > 90 * 86_400 for n in range(1, 100_001))
SCHOOL = UUID(int=7)


@pytest.fixture(scope="class")
def many_events(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Events of fifty schools in turn, evenly over 91 days, of which two are past retention."""
    columns = {
        "session_id": "'g' || n / 5",
        "instance_id": "lpad(to_hex(n % 50), 32, '0')::uuid",
        "event_type": """(ARRAY['page_view', 'page_view', 'page_view', 'page_view', 'course_view',
            'course_view', 'contact_click'])[1 + n / 50 % 7]""",
        "timestamp": WHEN,
    }
    with django_db_blocker.unblock(), filled("guest_events", columns):
        yield


@pytest.mark.usefixtures("many_events")
class TestOnAHundredThousandEvents:
    @pytest.mark.parametrize("event_type", [EventType.PAGE_VIEW, EventType.CONTACT_CLICK])
    @pytest.mark.parametrize("days", [1, 7, 30])
    def test_a_schools_events_of_a_type_in_a_span_come_from_their_index(
        self, event_type: str, days: int
    ) -> None:
        span = GuestEvent.objects.of_instance(SCHOOL).of_type(event_type)
        span = span.between(NOW - days * DAY, NOW)

        assert indexes_used(span) == {"idx_guest_events_instance_type_timestamp"}
        turns = {EventType.PAGE_VIEW: range(4), EventType.CONTACT_CLICK: [6]}[event_type]
        assert span.count() == sum(
            n // 50 % 7 in turns and (100_000 - n) * 79 <= days * 86_400
            for n in range(7, 100_000, 50)
        )

    def test_a_schools_newest_events_of_a_type_come_sorted_from_their_index(self) -> None:
        views = GuestEvent.objects.of_instance(SCHOOL).of_type(EventType.PAGE_VIEW)
        newest = views.between(NOW - 30 * DAY, NOW).order_by("-timestamp")[:20]

        assert indexes_used(newest) == {"idx_guest_events_instance_type_timestamp"}
        assert is_sorted_by_index(newest)

    def test_the_newest_clicks_come_sorted_from_an_index_of_what_is_rare(self) -> None:
        clicks = GuestEvent.objects.of_type(EventType.CONTACT_CLICK)
        newest = clicks.order_by("-timestamp", "-id")[:51]
        assert indexes_used(newest) == {"idx_guest_events_list_rare"}
        assert is_sorted_by_index(newest)

    def test_that_index_has_no_views(self) -> None:
        for event_type in EventType:
            events = GuestEvent.objects.of_type(event_type)
            is_in_it = event_type in RARE_EVENTS
            assert serves("idx_guest_events_list_rare", events) is is_in_it, event_type

    def test_events_past_retention_come_from_their_index(self) -> None:
        old = GuestEvent.objects.past_retention(before=RETAINED)
        assert indexes_used(old) == {"idx_guest_events_timestamp"}
        assert old.count() == EXPIRED


@pytest.fixture(scope="class")
def many_sessions(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Sessions of half an hour, of fifty schools in turn, evenly over 91 days."""
    columns = {
        "session_id": "'g' || n",
        "instance_id": "lpad(to_hex(n % 50), 32, '0')::uuid",
        "created_at": WHEN,
        "expires_at": f"{WHEN} + interval '30 minutes'",
    }
    with django_db_blocker.unblock(), filled("guest_sessions", columns):
        yield


@pytest.mark.usefixtures("many_sessions")
class TestOnAHundredThousandSessions:
    def test_sessions_past_retention_come_from_their_index(self) -> None:
        old = GuestSession.objects.past_retention(before=RETAINED)
        assert indexes_used(old) == {"idx_guest_sessions_created"}
        assert old.count() == EXPIRED

    def test_sessions_that_ended_come_from_their_index(self) -> None:
        ended = GuestSession.objects.expired(at=RETAINED)
        assert indexes_used(ended) == {"idx_guest_sessions_expires"}
        assert 0 < ended.count() < EXPIRED

    def test_a_schools_sessions_come_from_their_index(self) -> None:
        own = GuestSession.objects.of_instance(SCHOOL)
        assert indexes_used(own) == {"idx_guest_sessions_instance"}
        assert own.count() == 2000


def test_a_span_has_its_start_and_not_its_end() -> None:
    school = uuid4()
    first, _ = (GuestEventFactory(instance_id=school, timestamp=at) for at in (NOW, NOW + DAY))
    GuestEventFactory(instance_id=school, timestamp=NOW - TICK)
    last = GuestEventFactory(instance_id=school, timestamp=NOW + DAY - TICK)
    span = GuestEvent.objects.of_instance(school).between(NOW, NOW + DAY)
    assert set(span) == {first, last}


def test_events_are_of_one_school_and_one_type() -> None:
    school = uuid4()
    click = GuestEventFactory(instance_id=school, event_type=EventType.CONTACT_CLICK)
    GuestEventFactory(instance_id=school)
    GuestEventFactory(event_type=EventType.CONTACT_CLICK)
    events = GuestEvent.objects
    assert events.of_instance(school).of_type(EventType.CONTACT_CLICK).get() == click
    assert (
        events.of_instance(school).count() == events.of_type(EventType.CONTACT_CLICK).count() == 2
    )
    assert not events.of_type("what a front end never sent")


def test_retention_keeps_what_is_as_old_as_it_says() -> None:
    for at in (NOW - TICK, NOW):
        GuestEventFactory(timestamp=at)
        GuestSessionFactory(created_at=at, expires_at=at)
    assert GuestEvent.objects.past_retention(before=NOW).get().timestamp == NOW - TICK
    assert GuestSession.objects.past_retention(before=NOW).get().created_at == NOW - TICK
    assert GuestSession.objects.expired(at=NOW).get().expires_at == NOW - TICK
    assert GuestEvent.objects.past_retention(before=NOW).delete()[0] == 1
    assert GuestSession.objects.past_retention(before=NOW).delete()[0] == 1
    assert GuestEvent.objects.count() == GuestSession.objects.count() == 1
