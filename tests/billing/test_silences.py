"""A bank feed that says nothing is noted, and nobody's grace runs on meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.models import BankFeed, FeedSilence
from billing.services import grace
from billing.services.silences import hear, watch_feeds

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
FEED = {"provider": "SEPAY", "account_number": "0123499999"}


def found() -> list[tuple[datetime, datetime | None]]:
    return list(FeedSilence.objects.order_by("starts_at").values_list("starts_at", "ends_at"))


@pytest.mark.parametrize("watched", [True, False], ids=["duty in time", "duty never ran"])
def test_silence_begins_after_three_days_and_ends_with_the_next_message(watched: bool) -> None:
    hear(**FEED, at=NOW)
    hear(**FEED, at=NOW + 2 * DAY)
    assert watch_feeds(at=NOW + 4 * DAY) == 0
    if watched:
        assert watch_feeds(at=NOW + 6 * DAY) == 1
        assert watch_feeds(at=NOW + 7 * DAY) == 0
        assert found() == [(NOW + 5 * DAY, None)]
    hear(**FEED, at=NOW + 8 * DAY)
    hear(**FEED, at=NOW + 9 * DAY)
    assert found() == [(NOW + 5 * DAY, NOW + 8 * DAY)]
    (silence,) = grace.silences()
    assert (silence.starts_at, silence.ends_at) == (NOW + 5 * DAY, NOW + 8 * DAY)
    feed = BankFeed.objects.get()
    assert (feed.received, feed.first_seen_at, feed.last_seen_at) == (4, NOW, NOW + 9 * DAY)


def test_another_accounts_silence_is_nobodys_grace() -> None:
    hear(provider="CASSO", account_number="555", at=NOW)
    assert watch_feeds(at=NOW + 9 * DAY) == 1
    assert grace.silences() == []


def test_refused_messages_are_no_feed() -> None:
    BankFeed.objects.create(provider="SEPAY", refused=3, refused_at=NOW)
    assert watch_feeds(at=NOW + 9 * DAY) == 0
