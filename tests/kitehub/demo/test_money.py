"""The demo's orders and subscriptions agree, to the đồng and the second."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby

import pytest
from django.core.management import call_command

from billing.enums import (
    Measure,
    PaymentStatus,
    PaymentType,
    ReceiptKind,
    RefundStatus,
    SubscriptionStatus,
    TransferState,
    UnmatchedReason,
)
from billing.matching import order_codes
from billing.models import (
    BankTransfer,
    CreditEntry,
    PaymentAllocation,
    PaymentOrder,
    Receipt,
    Refund,
    Subscription,
    SubscriptionHistory,
)
from billing.order_codes import is_code
from billing.services import reading, settlement
from billing.services.candidates import candidates
from billing.services.figures import changes
from billing.services.orders import to_transfer
from billing.services.subscriptions import periods_of, rebuild
from kitehub.demo.moments import months_after
from kitehub.demo.schools import SAMPLE
from kitehub.enums import Tier
from kitehub.models import InstanceConfig
from kitehub.plans import PLANS
from tests.kitehub.demo.conftest import AT

# No reading gives these: a person did it, or nobody is paid on the account.
NOT_READ = {UnmatchedReason.UNDONE, UnmatchedReason.UNKNOWN_ACCOUNT}
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


def test_paid_orders_alone_have_their_money_and_some_had_it_late() -> None:
    late = 0
    for order in PaymentOrder.all_objects.all():
        assert order.expires_at - order.created_at == timedelta(hours=24)
        paid = order.status == PaymentStatus.PAID
        assert bool(order.paid_at) == bool(order.transaction_reference) == paid
        if order.paid_at:
            assert order.created_at < order.paid_at < order.updated_at
            late += order.paid_at > order.expires_at
        if order.status == PaymentStatus.EXPIRED:
            assert order.expires_at < order.updated_at <= AT
    assert late >= 5


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


def test_enrollment_memos_have_the_code_and_follow_their_schools_template() -> None:
    orders = PaymentOrder.objects.filter(type=PaymentType.ENROLLMENT).select_related("instance")
    for order in orders:
        assert order.tier is None
        assert order.course_id
        assert order.student_name
        assert order.memo is not None
        assert order.memo.isascii()
        code, *words = order.memo.split()
        assert code == order.order_id
        assert order.instance is not None
        assert order.account_number == order.instance.account_number
        template = (order.instance.qr_template or "").split()
        assert (words[0] == "HOCPHI") == (template[0] == "HOCPHI")


def test_every_subscription_runs_as_long_as_its_orders_paid_for() -> None:
    numbers = set()
    for subscription, orders in paid_months():
        numbers.add(len(orders))
        anchor = subscription.trial_end or orders[0].paid_at
        assert anchor is not None
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


def test_nothing_breaks_what_must_be_true() -> None:
    call_command("check_invariants")


def test_the_dashboard_has_half_a_year_to_show() -> None:
    found = changes(*Measure, since=date(2000, 1, 1))
    assert {each.measure for each in found} == set(Measure) - {Measure.RETURNED}
    assert len({each.day for each in found if each.measure == Measure.REVENUE}) > 50
    assert len({f"{each.day:%Y-%m}" for each in found if each.measure == Measure.MRR}) >= 6


def test_every_line_that_waits_is_read_as_settlement_reads_it() -> None:
    reasons = set()
    for row in BankTransfer.objects.unmatched():
        reasons.add(row.reason)
        if row.allocated_amount == 0 and row.reason not in NOT_READ:
            assert reading.read(row).reason == row.reason, row.memo
    assert len(reasons) >= 7
    assert BankTransfer.objects.unmatched().count() >= 12
    helped = sum(bool(candidates(row)) for row in BankTransfer.objects.unmatched())
    assert helped >= 7
    assert set(BankTransfer.objects.values_list("state", flat=True)) == {
        state for state in TransferState if state != TransferState.RECEIVED
    }


def test_a_line_that_paid_by_itself_has_its_orders_code_in_the_memo() -> None:
    entries = PaymentAllocation.objects.filter(created_by=settlement.ACTOR, transfer__isnull=False)
    for entry in entries.select_related("transfer", "order"):
        assert entry.transfer is not None
        assert order_codes(entry.transfer.memo)[0] == entry.order.order_id


def test_periods_are_what_the_orders_bought_as_the_services_fold_them() -> None:
    for subscription in Subscription.all_objects.all():
        live = subscription.periods.order_by("starts_at")
        assert [(row.starts_at, row.ends_at, row.order_id) for row in live] == [
            (period.starts_at, period.ends_at, period.source) for period in periods_of(subscription)
        ]
        assert live[len(live) - 1].ends_at == subscription.current_period_end


def test_time_has_nothing_to_catch_up_with() -> None:
    before = list(SubscriptionHistory.objects.values_list("pk", flat=True))
    for subscription in Subscription.objects.all():
        rebuild(instance_id=subscription.instance_id, at=AT, actor="test", reason="test")
    assert list(SubscriptionHistory.objects.values_list("pk", flat=True)) == before


def test_every_paid_order_of_a_school_has_its_receipt() -> None:
    paid = PaymentOrder.objects.paid().filter(type=PaymentType.SUBSCRIPTION)
    receipts = Receipt.objects.filter(kind=ReceiptKind.RECEIPT)
    assert set(paid.values_list("pk", flat=True)) == set(receipts.values_list("order", flat=True))
    for receipt in receipts:
        said = receipt.printed
        assert sum(payment.amount for payment in said.payments) == receipt.amount == said.amount


def test_parts_excess_credit_and_refunds_of_every_state_are_there() -> None:
    for status in (PaymentStatus.PENDING, PaymentStatus.EXPIRED):
        part = PaymentOrder.objects.filter(status=status, paid_amount__gt=0)
        assert part.exists()
    assert set(CreditEntry.objects.values_list("kind", flat=True)) == {"EXCESS", "SPENT"}
    assert set(Refund.objects.values_list("status", flat=True)) == set(RefundStatus)
    assert PaymentOrder.objects.filter(superseded_by__isnull=False).count() >= 5


def test_whoever_tries_the_portal_out_finds_something_to_pay() -> None:
    order = PaymentOrder.objects.get(instance=SAMPLE.id, status=PaymentStatus.PENDING)
    assert order.expires_at > AT
    assert to_transfer(order) == order.amount
