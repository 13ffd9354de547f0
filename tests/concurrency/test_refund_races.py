"""Refunds, credit and receipts under several people at once; locks are taken away to see why."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from billing.enums import RefundRefusal, RefundSource, RefundStatus
from billing.models import BankTransfer, CreditBalance, PaymentOrder, Receipt, Refund
from billing.services import credit, receipts, refunds
from billing.services.credit import NotEnoughCredit
from billing.services.refund_sources import Origin, RefundRefused
from tests.billing.bookings import NOW, keep_as_credit, line, paid_order
from tests.concurrency.threads import PATIENCE, Background, changed, together
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.records import execute, without_trigger

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 3


def half_of_an_order() -> tuple[PaymentOrder, UUID]:
    order = paid_order(600_000)
    refund = refunds.request_refund(
        order_id=order.pk, amount=300_000, reason="Nhầm", actor="lan", at=NOW
    )
    return order, refund.pk


def approve(refund_id: UUID, actor: str) -> Refund:
    return refunds.approve(refund_id=refund_id, actor=actor, at=NOW)


def approve_twice_at_once() -> tuple[list[Any], int]:
    """What both saw, and what has been paid back of an order by then."""
    order, refund_id = half_of_an_order()
    told = together(*[lambda by=by: approve(refund_id, by) for by in ("minh", "hoa")])
    order.refresh_from_db()
    return told, order.refunded_amount


def test_one_of_two_approvals_pays_back() -> None:
    for _ in range(ROUNDS):
        told, refunded = approve_twice_at_once()
        assert refunded == 300_000
        (late,) = [each for each in told if isinstance(each, RefundRefused)]
        assert late.refusal == RefundRefusal.DECIDED


def test_control_without_the_lock_both_pay_back(monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)

    def read_by_both(refund_id: UUID, status: RefundStatus) -> Refund:
        refund = Refund.objects.get(pk=refund_id, status=status)
        both.wait(PATIENCE)
        return refund

    monkeypatch.setattr(refunds, "_locked", read_by_both)
    # The database alone would hold, by what was decided once.
    with without_trigger("refunds", "guard_refunds_request"):
        told, refunded = approve_twice_at_once()
    assert [type(each) for each in told] == [Refund, Refund]
    assert refunded == 600_000


def test_approved_or_rejected_and_the_other_is_told() -> None:
    for _ in range(ROUNDS):
        order, refund_id = half_of_an_order()

        def reject(refund_id: UUID = refund_id) -> Refund:
            return refunds.reject(refund_id=refund_id, actor="hoa", at=NOW, decision="Không")

        told = together(lambda refund_id=refund_id: approve(refund_id, "minh"), reject)
        assert sorted(type(each).__name__ for each in told) == ["Refund", "RefundRefused"]
        order.refresh_from_db()
        approved = Refund.objects.get(pk=refund_id).status == RefundStatus.APPROVED
        assert order.refunded_amount == (300_000 if approved else 0)


# --- The same credit, paid back and used --------------------------------------------------------


def pay_back_and_use_at_once() -> tuple[list[Any], int, BankTransfer]:
    instance, transfer = InstanceFactory(), line(100_000)
    keep_as_credit(instance, transfer, 100_000)
    refund = refunds.request_refund(
        instance_id=instance.pk, amount=100_000, reason="Trả lại", actor="lan", at=NOW
    )
    told = together(
        lambda: approve(refund.pk, "minh"),
        lambda: credit.spend(instance_id=instance.pk, amount=100_000, actor="settle", at=NOW),
    )
    transfer.refresh_from_db()
    return told, CreditBalance.objects.get(instance=instance).balance, transfer


def test_credit_is_paid_back_or_used() -> None:
    for _ in range(ROUNDS):
        told, balance, transfer = pay_back_and_use_at_once()
        (late,) = [each for each in told if isinstance(each, RefundRefused | NotEnoughCredit)]
        assert balance == 0
        assert transfer.refunded_amount == (0 if isinstance(late, RefundRefused) else 100_000)


def test_a_line_that_becomes_credit_before_the_credit_is_locked_is_locked_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance, first, second = InstanceFactory(), line(100_000), line(50_000)
    keep_as_credit(instance, first, 100_000)
    lines, late = Origin._lines, []

    def found_before(origin: Origin) -> set[UUID]:
        found = lines(origin)
        if not late:
            late.append(Background(lambda: keep_as_credit(instance, second, 50_000)).join())
        return found

    monkeypatch.setattr(Origin, "_lines", found_before)
    with transaction.atomic():
        locked = Origin(RefundSource.CREDIT, instance.pk).lock()
    assert {each.pk for each in locked} == {first.pk, second.pk}
    assert late == [None]


@contextmanager
def nothing_holds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both read the balance before either books, and the database takes any."""
    both = threading.Barrier(2)

    def read_by_both(*, instance_id: UUID) -> int:
        found = credit.balance(instance_id=instance_id)
        if sys._getframe(1).f_code is credit.spend.__wrapped__.__code__:
            both.wait(PATIENCE)
        return found

    execute("ALTER TABLE credit_balances DROP CONSTRAINT credit_balances_balance_check")
    try:
        with monkeypatch.context() as patch:
            patch.setattr(credit, "lock_balance", read_by_both)
            yield
    finally:
        execute(
            "SET session_replication_role = replica; DELETE FROM credit_balances;"
            "RESET session_replication_role; ALTER TABLE credit_balances"
            " ADD CONSTRAINT credit_balances_balance_check CHECK (balance >= 0)"
        )


def test_control_without_lock_and_check_it_is_both(monkeypatch: pytest.MonkeyPatch) -> None:
    with nothing_holds(monkeypatch):
        told, balance, transfer = pay_back_and_use_at_once()
    assert not [each for each in told if isinstance(each, Exception)]
    assert (balance, transfer.refunded_amount) == (-100_000, 100_000)


# --- Numbers ------------------------------------------------------------------------------------


class TakenBackError(Exception):
    """What undoes an issue."""


def issue_at_once(count: int = 8) -> list[int]:
    """The numbers there are after so many have issued at once, every third of them undone."""
    orders = [paid_order() for _ in range(count)]

    def issue(place: int) -> None:
        with transaction.atomic():
            receipts.issue(order=orders[place], at=NOW)
            if place % 3 == 0:
                raise TakenBackError

    told = together(*[lambda place=place: issue(place) for place in range(count)])
    assert [isinstance(each, TakenBackError) for each in told] == [
        place % 3 == 0 for place in range(count)
    ]
    return sorted(Receipt.objects.values_list("number", flat=True))


def test_issued_at_once_and_some_undone_leave_no_gap() -> None:
    assert issue_at_once() == [1, 2, 3, 4, 5]


def test_control_a_sequence_leaves_gaps() -> None:
    execute("CREATE SEQUENCE receipt_sequence")
    counted = (
        "INSERT INTO receipt_counters (year, last) VALUES (NEW.year, 1)\n"
        "    ON CONFLICT (year) DO UPDATE SET last = receipt_counters.last + 1\n"
        "    RETURNING last INTO NEW.number;"
    )
    try:
        with changed("number_receipt()", (counted, "NEW.number = nextval('receipt_sequence');")):
            issue_at_once()
            # Those that were undone may have been the last.
            last = receipts.issue(order=paid_order(), at=NOW)
    finally:
        execute("DROP SEQUENCE receipt_sequence")
    assert (Receipt.objects.count(), last.number) == (6, 9)
