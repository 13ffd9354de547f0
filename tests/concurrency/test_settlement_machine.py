"""Orders, bank lines, credit and refunds under batches of anything at once: the books stay right.

KITEHUB_LONG_MACHINES=1 looks for longer.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from billing.models import BankTransfer, PaymentOrder, Refund, Subscription, SubscriptionPeriod
from billing.periods import period_at
from billing.services import credit, inbox, refunds, subscriptions
from billing.services.expiry import Expiry, expire_overdue
from billing.services.grace import ladder
from billing.services.orders import OrderClosed, cancel_order
from billing.services.refund_sources import RefundRefused
from billing.services.settlement import settle_transfer
from billing.services.subscriptions import NoSubscription, advance
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.billing.broken import broken
from tests.billing.paying import trial_school
from tests.billing.settling import NOW, OWN, SCHOOLS, ask, enroll, line, subscribe
from tests.billing.settling import school as with_account
from tests.concurrency.threads import together
from tests.factories.billing import BankTransferFactory

LONG = bool(os.environ.get("KITEHUB_LONG_MACHINES"))
SETTINGS = settings(
    max_examples=40 if LONG else 6,
    stateful_step_count=20 if LONG else 10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
# What may be said to somebody who came too late.
POLITE = (OrderClosed, RefundRefused, NoSubscription, inbox.CannotMatch)

NUMBER = st.integers(0, 5)
MEMOS = st.sampled_from(
    ["{code}", "{code}", "MBVCB.1.{small}.CT tu 0123 toi", "{code} {other}", "{wrapped}", "cam on"]
)
AMOUNTS = st.sampled_from(["all", "all", "rest", "half", "more", "both", "little"])
LINES = st.tuples(
    NUMBER, MEMOS, AMOUNTS, st.integers(0, 40), st.sampled_from([OWN, OWN, OWN, SCHOOLS])
)
WORKS = st.lists(
    st.tuples(
        st.sampled_from(
            ["settle"] * 6
            + ["subscribe", "subscribe", "enroll", "cancel", "expire", "grant", "extend", "advance"]
            + ["ask", "ask", "ask line", "ask credit", "approve", "approve", "reject"]
            + ["unmatch", "keep", "match", "match", "discard"]
        ),
        NUMBER,
    ),
    min_size=2,
    max_size=5,
)


class SettlementMachine(RuleBasedStateMachine):
    """Two schools with one owner's habits: they pay wrong, late, twice and for each other."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.schools: list[Instance] = [with_account(), trial_school(NOW)]
        self.orders: list[PaymentOrder] = []
        self.lines: list[BankTransfer] = []
        self.refunds: list[Refund] = []
        self.received = 0

    # --- What there is --------------------------------------------------------------------------

    def one_of(self, rows: list[Any], number: int) -> Any:
        return rows[number % len(rows)]

    @initialize()
    def both_want_something(self) -> None:
        self.orders += [subscribe(each) for each in self.schools]
        self.orders.append(enroll(self.schools[0]))
        # Enough to begin with that what comes next mostly does something.
        for order in self.orders[:2]:
            self.lines.append(line(order.memo, order.amount + 50_000, self.now))
            self.received += order.amount + 50_000
            settle_transfer(transfer_id=self.lines[-1].pk, at=self.now)
            self.refunds.append(ask(order.amount, self.now, order_id=order.pk))
        self.refunds.append(ask(40_000, self.now, instance_id=self.schools[0].pk))
        self.orders.append(subscribe(self.schools[0], Tier.PREMIUM))

    @rule(said=st.lists(LINES, min_size=1, max_size=3), soon=st.booleans())
    def lines_come(self, said: list[Any], soon: bool) -> None:
        before = len(self.lines)
        for number, memo, amount, hours, account in said:
            order = self.one_of(self.orders, number)
            order.refresh_from_db()
            other = self.one_of(self.orders, number + 1)
            code = order.order_id
            text = memo.format(
                code=code,
                small=code.lower(),
                other=other.order_id,
                wrapped=f"{code[:5]} {code[5:]}",
            )
            đồng = {
                "all": order.amount,
                "rest": order.rest or order.amount,
                "half": order.amount // 2,
                "more": order.amount + 100_000,
                "both": order.amount + other.amount,
                "little": 1_000,
            }[amount]
            at = self.now - timedelta(hours=hours)
            account = SCHOOLS if order.type == "ENROLLMENT" and account == OWN else account
            self.lines.append(line(text, đồng, at, account))
            self.received += đồng
        if soon:
            together(
                *[
                    lambda told=told: settle_transfer(transfer_id=told.pk, at=self.now)
                    for told in self.lines[before:]
                ]
            )

    @rule(number=NUMBER)
    def a_line_is_told_again(self, number: int) -> None:
        told = self.one_of(self.lines, number)
        with pytest.raises(IntegrityError), transaction.atomic():
            BankTransferFactory(provider_id=told.provider_id, account_number=told.account_number)

    @rule(hours=st.sampled_from([1, 30, 24 * 16, 24 * 45]))
    def time_goes_by(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    # --- What is done ---------------------------------------------------------------------------

    def work(self, step: tuple[str, int]) -> Callable[[], Any]:
        """One thread's part of a batch."""
        kind, number = step
        now, school = self.now, self.one_of(self.schools, number)
        said = {"at": now, "actor": "lan", "reason": "asked to"}
        simple: dict[str, Callable[[], Any]] = {
            "subscribe": lambda: subscribe(school, list(Tier)[number % 3], at=now),
            "enroll": lambda: enroll(self.schools[0], f"Student {number}", at=now),
            "expire": lambda: expire_overdue(at=now),
            "advance": lambda: advance.advance_due(at=now),
            "grant": lambda: credit.grant(instance_id=school.pk, amount=150_000, **said),
            "extend": lambda: subscriptions.extend(instance_id=school.pk, days=3, **said),
            "ask credit": lambda: ask(1_000 * (number + 1), now, instance_id=school.pk),
        }
        if kind in simple:
            return simple[kind]
        if kind in ("cancel", "ask"):
            order = self.one_of(self.orders[-6:], number)
            if kind == "cancel":
                return lambda: cancel_order(order_id=order.pk, **said)
            part = order.amount if number % 2 else order.amount // 3
            return lambda: ask(part, now, order_id=order.pk)
        if kind in ("approve", "reject"):
            decide = refunds.approve if kind == "approve" else refunds.reject
            refund = self.one_of(self.refunds[-4:], number) if self.refunds else None
            return lambda: (
                refund and decide(refund_id=refund.pk, actor="minh", at=now, decision="seen")
            )
        told = self.one_of(self.lines[-8:] if number < 6 else self.lines, number)
        return lambda: self.do_with(kind, told, school, said)

    def do_with(self, kind: str, told: BankTransfer, school: Instance, said: Any) -> Any:
        if kind == "settle":
            return settle_transfer(transfer_id=told.pk, at=said["at"])
        if kind == "ask line":
            return ask(told.amount // 2, said["at"], transfer_id=told.pk)
        if kind == "keep":
            if told.account_number == SCHOOLS:
                return None
            return inbox.keep_transfer_as_credit(transfer_id=told.pk, instance=school, **said)
        if kind == "discard":
            return inbox.discard(transfer_id=told.pk, **said)
        if kind == "match":
            order = PaymentOrder.objects.filter(pk__in=[it.pk for it in self.orders]).first()
            told.refresh_from_db()
            part = order and min(order.rest, told.unmatched)
            return part and inbox.match_transfer(
                transfer_id=told.pk, parts=[(order.pk, part)], **said
            )
        first = told.allocations.filter(amount__gt=0).first()
        return first and inbox.unmatch(allocation_id=first.pk, **said)

    @rule(works=WORKS)
    def at_once(self, works: list[tuple[str, int]]) -> None:
        for (kind, _), result in zip(works, together(*map(self.work, works)), strict=True):
            if isinstance(result, PaymentOrder) and kind in ("subscribe", "enroll"):
                self.orders.append(result)
            elif isinstance(result, Refund) and kind.startswith("ask"):
                self.refunds.append(result)
            elif isinstance(result, Exception):
                assert isinstance(result, POLITE), (kind, result)
            elif kind == "expire":
                assert isinstance(result, Expiry)

    # --- What is always so ----------------------------------------------------------------------

    @invariant()
    def nothing_is_broken(self) -> None:
        assert broken() == {}

    @invariant()
    def what_was_received_is_there(self) -> None:
        lines = BankTransfer.objects.filter(pk__in=[told.pk for told in self.lines])
        assert sum(told.amount for told in lines) == self.received

    @invariant()
    def who_pays_once_has_it_once(self) -> None:
        live = SubscriptionPeriod.objects.filter(voided_at__isnull=True, order__isnull=False)
        keys = list(live.filter(order__in=self.orders).values_list("order_id", flat=True))
        assert len(keys) == len(set(keys))
        assert not live.filter(order__type="ENROLLMENT").exists()

    def teardown(self) -> None:
        """In the end everything is settled, several times, and nothing waits that was settled."""
        together(
            *[
                lambda told=told: settle_transfer(transfer_id=told.pk, at=self.now)
                for told in self.lines[-6:]
            ]
            * 2
        )
        for told in self.lines:
            state = settle_transfer(transfer_id=told.pk, at=self.now)
            assert state in ("MATCHED", "UNMATCHED", "DISCARDED")
            assert settle_transfer(transfer_id=told.pk, at=self.now) == state
        assert broken() == {}
        self.nobody_has_more_than_they_paid_for()

    def nobody_has_more_than_they_paid_for(self) -> None:
        """Once the clock has been told, and telling it again changes nothing."""
        advance.advance_due(at=self.now)
        assert advance.advance_due(at=self.now) == advance.Advance(0, 0, 0)
        for own in Subscription.objects.filter(instance__in=self.schools):
            over = own.current_period_end <= self.now
            if own.status == "PAST_DUE":
                assert over
                assert self.now < own.current_period_end + timedelta(days=ladder().suspend)
            else:
                assert over == (own.status == "EXPIRED"), own.status
            now = period_at(subscriptions.periods_of(own), self.now)
            assert now is None or now.tier == own.tier == own.instance.tier
        assert broken() == {}


@pytest.mark.django_db(transaction=True)
def test_books_stay_right_whoever_does_what_at_once() -> None:
    run_state_machine_as_test(SettlementMachine, settings=SETTINGS)
