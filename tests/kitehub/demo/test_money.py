"""The demo's orders and subscriptions agree, to the đồng and the second."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby

import pytest

from billing.enums import PaymentStatus, PaymentType, SubscriptionStatus
from billing.models import PaymentOrder, Subscription, SubscriptionHistory
from billing.order_codes import is_code
from kitehub.demo.moments import months_after
from kitehub.enums import Tier
from kitehub.models import InstanceConfig
from kitehub.plans import PLANS
from tests.kitehub.demo.conftest import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]


def paid_months() -> Iterator[tuple[Subscription, list[PaymentOrder]]]:
    orders = PaymentOrder.objects.paid().filter(type=PaymentType.SUBSCRIPTION).order_by("paid_at")
    for subscription in Subscription.objects.select_related("instance"):
        yield subscription, list(orders.of_instance(subscription.instance_id))


def test_orders_of_both_types_are_in_every_state() -> None:
    found = set(PaymentOrder.objects.values_list("type", "status"))
    assert found == {(kind, state) for kind in PaymentType for state in PaymentStatus}


def test_some_waiting_orders_are_overdue_and_some_are_fresh() -> None:
    for kind in PaymentType:
        waiting = PaymentOrder.objects.pending().filter(type=kind)
        assert waiting.overdue(at=AT).count() >= 2
        assert waiting.filter(expires_at__gt=AT).count() >= 2


def test_paid_orders_alone_have_their_money_and_had_it_in_time() -> None:
    for order in PaymentOrder.all_objects.all():
        assert order.expires_at - order.created_at == timedelta(hours=24)
        paid = order.status == PaymentStatus.PAID
        assert bool(order.paid_at) == bool(order.transaction_reference) == paid
        if order.paid_at:
            assert order.created_at < order.paid_at < order.updated_at < order.expires_at
        if order.status == PaymentStatus.EXPIRED:
            assert order.expires_at < order.updated_at <= AT


def test_no_bank_reference_and_no_order_code_comes_twice() -> None:
    for column in ("transaction_reference", "order_id"):
        values = PaymentOrder.all_objects.exclude(**{column: None}).values_list(column, flat=True)
        assert set(Counter(values).values()) == {1}
    assert all(map(is_code, values))


def test_subscription_orders_cost_what_the_plan_says() -> None:
    orders = PaymentOrder.objects.filter(type=PaymentType.SUBSCRIPTION).select_related("user")
    assert set(orders.values_list("tier", flat=True)) == set(Tier)
    for order in orders:
        assert order.amount == PLANS[Tier(order.tier)].monthly_price
        assert order.user is not None
        assert order.payment_content == f"KITEHUB {order.order_id} {order.user.email}"


def test_enrollment_memos_follow_their_schools_template_without_accents() -> None:
    orders = PaymentOrder.objects.filter(type=PaymentType.ENROLLMENT).select_related("instance")
    for order in orders:
        assert order.tier is None
        assert order.payment_content.isascii()
        assert "{" not in order.payment_content
        assert order.instance is not None
        assert order.instance.account_number
        words = (order.instance.qr_template or "").split()
        assert order.payment_content.startswith("HOCPHI ") == (words[0] == "HOCPHI")


def test_every_subscription_runs_as_long_as_its_orders_paid_for() -> None:
    numbers = set()
    for subscription, orders in paid_months():
        numbers.add(len(orders))
        anchor = subscription.trial_end or subscription.created_at
        assert subscription.current_period_end == months_after(anchor, len(orders))
        if orders:
            start = months_after(anchor, len(orders) - 1)
            assert subscription.current_period_start == start
            assert (subscription.tier, subscription.monthly_price) == (
                orders[-1].tier,
                orders[-1].amount,
            )
    assert numbers >= {0, 1, 2, 3, 4, 5, 6}


def test_only_who_has_paid_is_or_was_active() -> None:
    for subscription, orders in paid_months():
        unpaid = {SubscriptionStatus.TRIAL, SubscriptionStatus.EXPIRED}
        assert orders or subscription.status in unpaid
        if subscription.status == SubscriptionStatus.ACTIVE:
            assert subscription.current_period_start <= AT < subscription.current_period_end


def test_instance_and_config_say_what_the_subscription_says() -> None:
    configs = {config.instance_id: config for config in InstanceConfig.objects.all()}
    for subscription, orders in paid_months():
        instance = subscription.instance
        assert instance is not None
        assert instance.subscription_id == subscription.pk
        assert instance.trial_expires_at == subscription.trial_end
        until = subscription.current_period_end if orders else None
        assert instance.subscription_expires_at == until
        assert subscription.tier == instance.tier == configs[instance.pk].tier


def test_every_tier_is_in_every_common_state() -> None:
    found = set(Subscription.objects.values_list("tier", "status"))
    for state in (
        SubscriptionStatus.TRIAL,
        SubscriptionStatus.ACTIVE,
        SubscriptionStatus.PAST_DUE,
    ):
        assert {(tier, state) for tier in Tier} <= found
    assert {state for _, state in found} == set(SubscriptionStatus)


def test_the_trigger_wrote_histories_that_are_spread_over_the_months() -> None:
    history = SubscriptionHistory.objects.order_by("changed_at")
    moments = [change.changed_at for change in history]
    assert moments[0] < AT - timedelta(days=150)
    assert moments[-1] <= AT
    assert len({moment.date() for moment in moments}) > 60
    assert {change.changed_by for change in history} >= {"demo", "thu.ha@kitehub.test"}


def test_the_last_history_of_a_subscription_is_its_state() -> None:
    rows = SubscriptionHistory.objects.order_by("subscription", "changed_at")
    last = {pk: list(changes)[-1] for pk, changes in groupby(rows, lambda row: row.subscription_id)}
    assert len(last) > 30
    for pk, change in last.items():
        row = Subscription.all_objects.get(pk=pk)
        assert (change.tier, change.status, change.monthly_price, change.changed_by) == (
            row.tier,
            row.status,
            row.monthly_price,
            row.updated_by,
        )
        assert change.changed_at == row.updated_at
