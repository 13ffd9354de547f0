"""Which way leads to which tier, by the state of the subscription."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.enums import SubscriptionStatus as Status
from billing.models import Subscription
from billing.portal.offers import Way, offer, offers
from kitehub.enums import Tier

AT = datetime(2026, 3, 1, tzinfo=UTC)
AHEAD, OVER = AT + timedelta(days=1), AT


@pytest.mark.parametrize(
    ("status", "end", "ways"),
    [
        (Status.TRIAL, AHEAD, [Way.BUY, Way.BUY, Way.BUY]),
        (Status.EXPIRED, OVER, [Way.BUY, Way.BUY, Way.BUY]),
        (Status.ACTIVE, AHEAD, [Way.DOWNGRADE, Way.RENEW, Way.UPGRADE]),
        (Status.CANCELED, AHEAD, [Way.DOWNGRADE, Way.RENEW, Way.UPGRADE]),
        (Status.PAST_DUE, OVER, [Way.BUY, Way.RENEW, Way.BUY]),
    ],
)
def test_each_tier_has_one_way(status: Status, end: datetime, ways: list[Way]) -> None:
    has = Subscription(tier=Tier.STANDARD, status=status, current_period_end=end)
    assert [each.way for each in offers(has, at=AT)] == ways
    assert offer(has, "GOLD", at=AT) is None
    found = offer(has, "STANDARD", at=AT)
    assert found is not None
    assert found.by_months


def test_with_a_higher_tier_to_come_ones_own_is_one_to_come_down_to() -> None:
    has = Subscription(tier=Tier.STANDARD, status=Status.ACTIVE, current_period_end=AHEAD)
    ways = [each.way for each in offers(has, at=AT, ahead=Tier.PREMIUM)]
    assert ways == [Way.DOWNGRADE, Way.DOWNGRADE, Way.UPGRADE]
    has.current_period_end = OVER
    assert offers(has, at=AT, ahead=Tier.PREMIUM)[1].way == Way.RENEW
