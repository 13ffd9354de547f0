"""A payment that goes back whole takes its time with it, as if it had never come."""

from itertools import permutations

import pytest

from billing.models import PaymentOrder, Subscription, SubscriptionHistory
from billing.services import refunds
from billing.services.refund_sources import Payee
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.billing.paying import buy, subscription, trial_school, written
from tests.billing.timelines import day

pytestmark = pytest.mark.django_db

PAYEE = Payee(bank_bin="970436", account_number="0071000123456", name="TRUONG A")
PAYING = ((day(1, 5), Tier.BASIC), (day(2, 10), Tier.STANDARD), (day(3, 20), Tier.BASIC))
LATER = day(3, 25)


def pay_back(order: PaymentOrder, amount: int | None = None) -> None:
    asked = refunds.request_refund(
        order_id=order.pk,
        amount=amount or order.amount,
        reason="Đổi ý",
        actor="lan",
        at=LATER,
        payee=PAYEE,
    )
    refunds.approve(refund_id=asked.pk, actor="minh", at=LATER)


def looks(school: Instance) -> tuple[object, ...]:
    found = subscription(school)
    return (
        written(school),
        *(getattr(found, name) for name in ("status", "tier", "monthly_price")),
        found.current_period_end,
    )


def school_that_paid(*which: int) -> tuple[Instance, list[PaymentOrder]]:
    school = trial_school(day(1, 1))
    return school, [buy(school, *PAYING[each]) for each in which]


def test_in_whatever_order_they_go_back_it_is_as_if_they_had_not_come() -> None:
    expected = looks(school_that_paid(0)[0])
    for first, second in permutations((1, 2)):
        school, orders = school_that_paid(0, 1, 2)
        pay_back(orders[first])
        pay_back(orders[second])
        assert looks(school)[0] == expected[0]
        assert looks(school)[-1] == expected[-1]


def test_what_was_paid_after_it_moves_up() -> None:
    school, orders = school_that_paid(0, 1)
    pay_back(orders[0])
    end = subscription(school).current_period_end
    assert written(school)[-1] == ("10/02", "10/03", "STANDARD")
    assert end == day(3, 10)
    last = SubscriptionHistory.objects.order_by("changed_at").last()
    assert last is not None
    assert (last.changed_by, last.change_reason) == (
        "minh",
        f"Order {orders[0].order_id} is paid back: Đổi ý",
    )


def test_paid_back_in_part_it_keeps_its_time_until_the_rest_goes_too() -> None:
    school, (order,) = school_that_paid(0)
    before = looks(school)
    pay_back(order, order.amount - 1)
    assert looks(school) == before
    pay_back(order, 1)
    assert written(school) == [("01/01", "15/01", "BASIC")]


def test_order_of_a_school_without_subscription_goes_back_all_the_same() -> None:
    school, (order,) = school_that_paid(0)
    Subscription.objects.get(instance=school).delete()
    pay_back(order)
    order.refresh_from_db()
    assert order.refunded_amount == order.amount
