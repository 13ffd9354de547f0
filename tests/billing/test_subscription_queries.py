"""The plan's questions about subscriptions: right answers, from the indexes made for them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import QuerySet

from billing.enums import SubscriptionStatus
from billing.models import Subscription, SubscriptionHistory
from tests.explain import filled, indexes_used, is_sorted_by_index, serves
from tests.factories.billing import SubscriptionFactory, SubscriptionHistoryFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
both_managers = pytest.mark.parametrize(
    "subscriptions",
    [Subscription.objects, Subscription.all_objects],
    ids=["objects", "all_objects"],
)


@pytest.fixture(scope="class")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Of twenty schools six pay and two try; the others' last period is over.

    Periods that run end within the 30 days after NOW, spread evenly.
    """
    columns = {
        "instance_id": "lpad(to_hex(n), 32, '0')::uuid",
        "tier": "(ARRAY['BASIC', 'STANDARD', 'PREMIUM'])[1 + n % 3]",
        "monthly_price": "299000",
        "status": """(CASE WHEN n % 20 < 6 THEN 'ACTIVE' WHEN n % 20 < 8 THEN 'TRIAL'
            WHEN n % 20 = 8 THEN 'PAST_DUE' WHEN n % 20 = 9 THEN 'CANCELED' ELSE 'EXPIRED' END
            )::subscription_status""",
        "current_period_start": f"'{NOW}'::timestamptz - interval '1 day'",
        "current_period_end": f"""'{NOW}'::timestamptz + interval '1 minute' * CASE
            WHEN n % 20 < 8 THEN 1 + n * 7919 % 43200 ELSE -5 * n END""",
        "deleted": "n % 50 = 0",
    }
    with django_db_blocker.unblock(), filled("subscriptions", columns):
        yield


@pytest.mark.usefixtures("many")
class TestOnAHundredThousandSubscriptions:
    @both_managers
    @pytest.mark.parametrize("days", [1, 3])
    def test_active_periods_that_end_come_from_their_index(
        self, subscriptions: "QuerySet[Subscription]", days: int
    ) -> None:
        ending = subscriptions.active().period_ending(before=NOW + days * DAY)

        assert indexes_used(ending) == {"idx_subscriptions_status_period_end"}
        assert indexes_used(ending[:100]) == {"idx_subscriptions_status_period_end"}
        assert is_sorted_by_index(ending[:100])
        ends = {
            n: 1 + n * 7919 % 43200
            for n in range(1, 100_001)
            if n % 20 < 6 and (n % 50 or subscriptions is Subscription.all_objects)
        }
        expected = {UUID(int=n): end for n, end in ends.items() if end < days * 1440}
        found = list(ending.values_list("instance_id", flat=True))
        assert set(found) == set(expected)
        assert len(found) == len(expected)
        assert [expected[instance] for instance in found] == sorted(expected.values())

    @both_managers
    def test_periods_that_end_in_any_status_come_sorted_from_an_index(
        self, subscriptions: "QuerySet[Subscription]"
    ) -> None:
        page = subscriptions.period_ending(before=NOW)[:50]
        assert indexes_used(page) == {"idx_subscriptions_period_end"}
        assert is_sorted_by_index(page)

    @both_managers
    def test_an_instances_subscription_comes_from_an_index(
        self, subscriptions: "QuerySet[Subscription]"
    ) -> None:
        own = subscriptions.of_instance(UUID(int=7))
        assert indexes_used(own) <= {"idx_subscriptions_instance", "subscriptions_instance_id_key"}
        assert indexes_used(own)
        assert own.get().instance_id == UUID(int=7)


def test_the_row_before_has_an_index_that_gives_the_newest_first() -> None:
    subscription = SubscriptionFactory()
    history = SubscriptionHistory.objects.filter(subscription=subscription)
    assert serves("idx_subscription_history_previous", history)
    assert not serves("idx_subscription_history_changed", history)


def test_a_period_ends_before_a_moment_only_if_strictly_so() -> None:
    subscription = SubscriptionFactory(current_period_end=NOW)
    assert not Subscription.objects.active().period_ending(before=NOW)
    assert Subscription.objects.active().period_ending(before=NOW + TICK).get() == subscription


def test_periods_are_listed_from_the_first_to_end() -> None:
    for days in (3, 1, 2):
        SubscriptionFactory(current_period_end=NOW + days * DAY)
    ends = [
        row.current_period_end for row in Subscription.objects.period_ending(before=NOW + 9 * DAY)
    ]
    assert ends == [NOW + DAY, NOW + 2 * DAY, NOW + 3 * DAY]


@pytest.mark.parametrize(
    "status", [status for status in SubscriptionStatus if status != SubscriptionStatus.ACTIVE]
)
def test_only_active_subscriptions_are_active(status: str) -> None:
    active = SubscriptionFactory(current_period_end=NOW)
    SubscriptionFactory(status=status, current_period_end=NOW)
    assert Subscription.objects.active().get() == active
    assert Subscription.objects.active().period_ending(before=NOW + TICK).get() == active
    assert Subscription.objects.period_ending(before=NOW + TICK).count() == 2


def test_softly_deleted_subscriptions_hide_from_objects_alone() -> None:
    subscription = SubscriptionFactory(current_period_end=NOW, deleted=True)
    late = NOW + TICK
    assert not Subscription.objects.active().period_ending(before=late)
    assert not Subscription.objects.of_instance(subscription.instance_id)
    assert Subscription.all_objects.active().period_ending(before=late).get() == subscription


@pytest.mark.usefixtures("rules_off")
def test_a_subscriptions_history_is_its_own_and_newest_first() -> None:
    subscription = SubscriptionFactory()
    old, new = (
        SubscriptionHistoryFactory(subscription=subscription, changed_at=NOW + n * DAY)
        for n in range(2)
    )
    SubscriptionHistoryFactory()
    assert list(SubscriptionHistory.objects.of_subscription(subscription.id)) == [new, old]
