"""Whatever order bank lines come in, and refunds are decided in, the end is the same."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import permutations
from random import Random
from typing import Any

import pytest
from django.db import transaction

from billing.models import BankTransfer, PaymentOrder, Subscription, SubscriptionPeriod
from billing.services import credit, refunds
from billing.services.settlement import settle_transfer
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.billing.broken import broken
from tests.billing.paying import trial_school
from tests.billing.settling import (
    NOW,
    SCHOOLS,
    ask,
    enroll,
    expired,
    line,
    subscribe,
)
from tests.billing.settling import school as with_account
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def end_of(school: Instance) -> dict[str, Any]:
    """What somebody would see in the end."""
    orders = PaymentOrder.objects.filter(instance=school).order_by("created_at", "pk")
    periods = SubscriptionPeriod.objects.filter(
        subscription__instance=school, voided_at__isnull=True
    ).order_by("starts_at")
    own = Subscription.objects.filter(instance=school)
    school.refresh_from_db()
    return {
        "orders": list(orders.values_list("status", "paid_at", "paid_amount")),
        "references": list(orders.values_list("transaction_reference", flat=True)),
        "periods": list(periods.values_list("kind", "tier", "starts_at", "ends_at", "order_id")),
        "subscription": list(
            own.values_list(
                "status", "tier", "monthly_price", "current_period_start", "current_period_end"
            )
        ),
        "school": (school.status, school.tier, school.subscription_expires_at),
        "credit": credit.balance(instance_id=school.pk),
        "unmatched": sum(each.unmatched for each in BankTransfer.objects.all()),
    }


def same_in_every_order(
    school: Instance, works: Iterable[Callable[[], Any]], *, most: int = 4
) -> dict[str, Any]:
    """Does the works in every order, or in so many, each from the same beginning; the end."""
    every = list(permutations(works))
    if len(every) > most:
        every = [every[0], every[-1], *Random(5).sample(every, most - 2)]  # noqa: S311
    first = None
    for sequence in every:
        with transaction.atomic():
            for work in sequence:
                work()
            end = end_of(school)
            assert broken() == {}
            transaction.set_rollback(True)
        first = first or end
        assert end == first
    assert first is not None
    return first


def settled(*lines: BankTransfer, at: datetime) -> list[Callable[[], Any]]:
    return [lambda each=each: settle_transfer(transfer_id=each.pk, at=at) for each in lines]


class TestLines:
    def test_of_one_order_in_parts_and_twice(self) -> None:
        school = InstanceFactory()
        memo = subscribe(school).memo
        amounts = [(200_000, 1), (399_000, 3), (399_000, 2), (650_000, 4)]
        lines = [line(memo, amount, NOW + hours * HOUR) for amount, hours in amounts]
        end = same_in_every_order(school, settled(*lines, at=NOW + DAY), most=8)
        assert end["orders"] == [("PAID", NOW + 2 * HOUR, 599_000)]
        assert end["references"] == [lines[2].provider_id]
        assert end["credit"] == sum(amount for amount, _hours in amounts) - 599_000
        assert [period[2] for period in end["periods"]] == [NOW + 2 * HOUR]

    def test_of_an_order_that_credit_pays_a_part_of(self) -> None:
        school = InstanceFactory()
        credit.grant(instance_id=school.pk, amount=100_000, reason="sorry", actor="lan", at=NOW)
        memo = subscribe(school).memo
        amounts = [(500_000, 3), (499_000, 2), (50_000, 1)]
        lines = [line(memo, amount, NOW + hours * HOUR) for amount, hours in amounts]
        end = same_in_every_order(school, settled(*lines, at=NOW + DAY))
        assert end["orders"][0][:2] == ("PAID", NOW + 2 * HOUR)
        assert end["credit"] == 100_000 + 1_049_000 - 599_000

    @pytest.mark.parametrize("trial", [False, True])
    def test_of_several_orders_extend_by_as_many_periods(self, trial: bool) -> None:
        school = trial_school(NOW - 3 * DAY) if trial else InstanceFactory()
        terms = [(Tier.STANDARD, 1), (Tier.BASIC, 2), (Tier.PREMIUM, 1), (Tier.BASIC, 1)]
        lines = []
        for number, (tier, months) in enumerate(terms):
            order = expired(subscribe(school, tier, months=months))
            lines.append(line(order.memo, order.amount, NOW + number * DAY))
        end = same_in_every_order(school, settled(*lines, at=NOW + 5 * DAY))
        paid = [period for period in end["periods"] if period[0] == "PAID"]
        assert [period[1] for period in paid] == [tier.value for tier, _months in terms]
        # Five months from the end of the trial or from now.
        begin = NOW + 11 * DAY if trial else NOW
        last = begin.replace(year=2027, month=(begin.month + 5) % 12)
        assert end["subscription"][0][4] == paid[-1][3] == last

    def test_that_come_when_all_they_paid_for_is_over(self) -> None:
        school = InstanceFactory()
        lines = []
        for number, tier in enumerate([Tier.STANDARD, Tier.BASIC, Tier.PREMIUM]):
            order = expired(subscribe(school, tier))
            lines.append(line(order.memo, order.amount, NOW + number * DAY))
        end = same_in_every_order(school, settled(*lines, at=NOW + 200 * DAY))
        assert end["subscription"][0][:2] == ("EXPIRED", "PREMIUM")

    def test_of_courses(self) -> None:
        school = with_account()
        one, two = enroll(school, "An"), enroll(school, "Binh")
        lines = [
            line(one.memo, 300_000, NOW + HOUR, SCHOOLS),
            line(one.memo, 250_000, NOW + 2 * HOUR, SCHOOLS),
            line(two.memo, 500_000, NOW + 3 * HOUR, SCHOOLS),
            line("NGUYEN VAN A", 7_000, NOW, SCHOOLS),
        ]
        end = same_in_every_order(school, settled(*lines, at=NOW + DAY))
        assert [each[0] for each in end["orders"]] == ["PAID", "PAID"]
        assert (end["credit"], end["unmatched"]) == (0, 57_000)


class TestRefunds:
    def test_in_any_order_restore_the_dates(self) -> None:
        school = trial_school(NOW - 3 * DAY)
        before = None
        ordered = []
        for number, tier in enumerate([Tier.STANDARD, Tier.BASIC, Tier.PREMIUM]):
            order = subscribe(school, tier)
            ordered.append(order)
            told = line(order.memo, order.amount, NOW + number * DAY)
            settle_transfer(transfer_id=told.pk, at=NOW + number * DAY)
            before = before or end_of(school)
        asked = [ask(order.amount, NOW + 4 * DAY, order_id=order.pk) for order in ordered]
        works = [
            lambda each=each: refunds.approve(refund_id=each.pk, actor="minh", at=NOW + 4 * DAY)
            for each in asked
        ]
        assert before is not None
        # Two of three, whichever comes first: as if only the first had ever been paid.
        end = same_in_every_order(school, works[1:])
        assert end["periods"] == before["periods"]
        assert end["subscription"] == before["subscription"]
        end = same_in_every_order(school, works)
        assert [period[:4] for period in end["periods"]] == [
            ("TRIAL", "BASIC", NOW - 3 * DAY, NOW + 11 * DAY)
        ]
        assert end["subscription"][0][1] == "BASIC"
        assert end["school"][1:] == ("BASIC", None)
