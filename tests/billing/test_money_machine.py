"""Whatever is paid, kept, used and paid back: no đồng appears, and none is lost, at any step."""

from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q, Sum
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from billing.enums import CreditKind, PaymentStatus, RefundStatus
from billing.models import BankTransfer, CreditEntry, PaymentAllocation, PaymentOrder, Refund
from billing.services import credit, receipts, refunds
from billing.services.refund_sources import RefundRefused
from tests.billing.bookings import NOW, allocate, keep_as_credit, line, paid, spend_on
from tests.factories.billing import PaymentOrderFactory
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db

SETTINGS = settings(max_examples=8, stateful_step_count=20, deadline=None)
AMOUNT = st.integers(1, 9)
WHICH = st.integers(0, 3)


def total(rows: Any, column: str = "amount") -> int:
    return rows.aggregate(sum=Sum(column))["sum"] or 0


class MoneyMachine(RuleBasedStateMachine):
    """One school with its orders and the bank lines that were sent for it."""

    def __init__(self) -> None:
        super().__init__()
        self.instance = InstanceFactory()
        self.orders: list[PaymentOrder] = []
        self.lines: list[BankTransfer] = []
        self.refunds: list[Refund] = []
        # Enough to begin with that what comes next mostly does something.
        self.a_line_comes(9)
        self.a_line_comes(7)
        self.a_line_becomes_credit(0)
        self.an_order_is_opened(5)

    # --- Money comes --------------------------------------------------------------------------

    @rule(amount=AMOUNT)
    def a_line_comes(self, amount: int) -> None:
        self.lines.append(line(amount))

    @rule(amount=AMOUNT)
    def an_order_is_opened(self, amount: int) -> None:
        self.orders.append(PaymentOrderFactory(instance=self.instance, amount=amount))

    @rule(amount=AMOUNT)
    def staff_give(self, amount: int) -> None:
        credit.grant(
            instance_id=self.instance.pk, amount=amount, reason="Xin lỗi", actor="lan", at=NOW
        )

    @rule(which=WHICH)
    def a_line_becomes_credit(self, which: int) -> None:
        for transfer in self.fresh(self.lines, which):
            if transfer.unmatched:
                keep_as_credit(self.instance, transfer, transfer.unmatched)

    @rule(which=WHICH, other=WHICH)
    def a_line_pays(self, which: int, other: int) -> None:
        for order in self.fresh(self.orders, which):
            for transfer in self.fresh(self.lines, other):
                part = min(order.rest, transfer.unmatched)
                if part:
                    allocate(order, transfer, part)
                    self.close(order)

    @rule(which=WHICH)
    def credit_pays(self, which: int) -> None:
        for order in self.fresh(self.orders, which):
            part = min(order.rest, credit.balance(instance_id=self.instance.pk))
            if part:
                spend_on(order, part)
                self.close(order)

    # --- Money goes ---------------------------------------------------------------------------

    @rule(amount=AMOUNT, which=WHICH, soon=st.booleans())
    def an_order_is_to_go_back(self, amount: int, which: int, soon: bool) -> None:
        for order in self.fresh(self.orders, which):
            self.ask(amount, soon, order_id=order.pk)

    @rule(amount=AMOUNT, which=WHICH, soon=st.booleans())
    def a_line_is_to_go_back(self, amount: int, which: int, soon: bool) -> None:
        for transfer in self.fresh(self.lines, which):
            self.ask(amount, soon, transfer_id=transfer.pk)

    @rule(amount=AMOUNT, soon=st.booleans())
    def credit_is_to_go_back(self, amount: int, soon: bool) -> None:
        self.ask(amount, soon, instance_id=self.instance.pk)

    @rule(which=WHICH, approves=st.booleans())
    def somebody_decides(self, which: int, approves: bool) -> None:
        for refund in self.fresh(self.refunds, which):
            self.decide(refund, approves)

    # --- Nothing is lost ----------------------------------------------------------------------

    @invariant()
    def each_line_is_its_parts(self) -> None:
        for transfer in BankTransfer.objects.filter(pk__in=[row.pk for row in self.lines]):
            booked = PaymentAllocation.objects.filter(transfer=transfer)
            kept = CreditEntry.objects.filter(transfer=transfer)
            approved = self.approved().filter(transfer=transfer)
            assert transfer.allocated_amount == total(booked)
            assert transfer.credited_amount == total(kept)
            assert transfer.refunded_amount == (
                total(approved)
                - total(booked.filter(refund__isnull=False))
                - total(kept.filter(refund__isnull=False))
            )
            assert transfer.unmatched >= 0

    @invariant()
    def what_came_is_somewhere(self) -> None:
        lines = BankTransfer.objects.filter(pk__in=[row.pk for row in self.lines])
        entries = CreditEntry.objects.filter(instance=self.instance)
        orders = PaymentOrder.objects.filter(instance=self.instance)
        came = total(lines) + total(entries.filter(kind=CreditKind.GRANTED))
        gone = sum(refunds.cash_of(refund) for refund in self.approved())
        held = total(orders, "paid_amount") + credit.balance(instance_id=self.instance.pk)
        assert came == held + gone + sum(row.unmatched for row in lines)
        assert gone == total(lines, "refunded_amount")
        assert credit.balance(instance_id=self.instance.pk) == total(entries) >= 0

    @invariant()
    def an_order_that_went_back_whole_has_a_void_receipt(self) -> None:
        for order in PaymentOrder.objects.filter(instance=self.instance, status=PaymentStatus.PAID):
            voids = order.receipts.filter(voids__isnull=False).count()
            assert voids == (order.paid_amount == 0)
            assert order.paid_amount + order.refunded_amount == order.amount

    # --- Parts --------------------------------------------------------------------------------

    def ask(self, amount: int, soon: bool, **of: Any) -> None:
        there = refunds.refundable(**of)
        try:
            with transaction.atomic():
                refund = refunds.request_refund(
                    amount=amount, reason="Trả lại", actor="lan", at=NOW, **of
                )
        except RefundRefused:
            assert amount > there
        else:
            assert amount <= there
            self.refunds.append(refund)
            if soon:
                self.decide(refund, approves=True)

    def decide(self, refund: Refund, approves: bool) -> None:
        said = {"refund_id": refund.pk, "actor": "minh", "at": NOW, "decision": "Đã xem"}
        with suppress(RefundRefused), transaction.atomic():
            (refunds.approve if approves else refunds.reject)(**said)

    def close(self, order: PaymentOrder) -> None:
        order.refresh_from_db()
        if order.rest == 0:
            receipts.issue(order=paid(order), at=NOW)

    def fresh(self, rows: list[Any], which: int) -> list[Any]:
        """The chosen row as it is now, if there are any."""
        if not rows:
            return []
        row = rows[which % len(rows)]
        row.refresh_from_db()
        return [row]

    def approved(self) -> Any:
        decided = Q(status__in=[RefundStatus.APPROVED, RefundStatus.SENT])
        return Refund.objects.filter(decided, pk__in=[refund.pk for refund in self.refunds])


def test_received_is_allocated_credit_refunded_and_unmatched_at_every_step() -> None:
    run_state_machine_as_test(MoneyMachine, settings=SETTINGS)
