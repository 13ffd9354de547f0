"""Payments, staff and the clock change one subscription at once: each is there afterwards."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from billing.models import SubscriptionPeriod
from billing.services.subscriptions import apply_payment, extend, replay
from billing.services.subscriptions.advance import advance_due
from kitehub import workflows
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.billing.paying import allocate, order_of, paid_school, subscription
from tests.billing.timelines import day
from tests.concurrency.threads import Background, together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def school() -> Instance:
    return paid_school(day(1, 1), day(2, 1))


def payment(school: Instance, number: int) -> Callable[[], Any]:
    """A settlement of its own: the order is paid and the subscription told in one transaction."""
    order = order_of(school)

    def settle() -> None:
        with transaction.atomic():
            apply_payment(order=allocate(order, day(1, 10 + number)), at=day(1, 20))

    return settle


def test_payments_days_and_the_clock_at_once_lose_nothing(school: Instance) -> None:
    works = [payment(school, number) for number in range(6)]
    works += [
        lambda: extend(
            instance_id=school.pk, days=10, at=day(1, 5), actor="lan", reason="bank was down"
        ),
        lambda: advance_due(at=day(1, 20)),
        lambda: workflows.change_tier(
            instance=school, tier=Tier.STANDARD, actor="lan", reason="", at=day(1, 20)
        ),
    ]
    errors = [it for it in together(*works) if isinstance(it, Exception)]
    assert errors == []
    found = subscription(school)
    assert found.current_period_end == day(8, 11)
    assert found.tier == "STANDARD"
    assert Instance.objects.get(pk=school.pk).subscription_expires_at == day(8, 11)
    live = SubscriptionPeriod.objects.filter(subscription=found, voided_at=None)
    assert live.filter(kind="PAID").count() == 6


def test_what_the_lock_is_for(school: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked(instance_id: Any) -> Any:
        return Instance.objects.get(pk=instance_id), subscription(school)

    monkeypatch.setattr(replay, "lock", unlocked)
    second = payment(school, 2)
    with transaction.atomic():
        apply_payment(order=allocate(order_of(school), day(1, 11)), at=day(1, 20))
        late = Background(second)
        late.wait_until_blocked_or_done()
    assert isinstance(late.join(), Exception), "both wrote the period that follows January"
    assert subscription(school).current_period_end == day(3, 1)
