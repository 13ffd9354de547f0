"""What is paid back is asked for by one person, approved by another, and booked to the đồng."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.enums import PaymentType, ReceiptKind, RefundRefusal, RefundStatus, TransferState
from billing.models import BankTransfer, PaymentAllocation, PaymentOrder, Receipt, Refund
from billing.refund_export import payouts_csv
from billing.services import credit, receipts, refunds
from billing.services.refund_sources import Payee, RefundRefused
from tests.billing.bookings import NOW, allocate, keep_as_credit, line, paid, paid_order, spend_on
from tests.factories.billing import PaymentOrderFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.records import execute

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


def ask(amount: int, **of: Any) -> Refund:
    said = {"reason": "Chuyển nhầm", "actor": "lan@kitehub.vn", "at": NOW}
    return refunds.request_refund(amount=amount, **(said | of))


def approve(refund: Refund, actor: str = "minh@kitehub.vn") -> Refund:
    return refunds.approve(refund_id=refund.pk, actor=actor, at=NOW)


def refused(work: Any) -> RefundRefused:
    with pytest.raises(RefundRefused) as caught, transaction.atomic():
        work()
    return caught.value


def totals(transfer: BankTransfer | None) -> tuple[int, int, int, int]:
    assert transfer is not None
    transfer.refresh_from_db()
    return (
        transfer.allocated_amount,
        transfer.credited_amount,
        transfer.refunded_amount,
        transfer.unmatched,
    )


def line_of(order: PaymentOrder) -> BankTransfer | None:
    return order.allocations.filter(transfer__isnull=False)[0].transfer


class TestWholeOrder:
    def test_money_leaves_its_line_and_the_receipt_becomes_void(self) -> None:
        order = paid_order()
        receipt = receipts.issue(order=order, at=NOW)
        refund = approve(ask(599_000, order_id=order.pk))
        assert (refund.status, refunds.cash_of(refund)) == (RefundStatus.APPROVED, 599_000)
        assert totals(line_of(order)) == (0, 0, 599_000, 0)
        order.refresh_from_db()
        assert (order.status, order.paid_amount, order.refunded_amount) == ("PAID", 0, 599_000)
        void = Receipt.objects.get(voids=receipt)
        assert (void.kind, void.amount) == (ReceiptKind.VOID, -599_000)
        sent = refunds.mark_sent(
            refund_id=refund.pk, reference=" FT99 ", actor="hoa@kitehub.vn", at=NOW
        )
        assert (sent.status, sent.sent_reference) == (RefundStatus.SENT, "FT99")

    def test_credit_that_paid_becomes_credit_again(self) -> None:
        order = paid_order(by_credit=99_000)
        refund = approve(ask(599_000, order_id=order.pk))
        assert refunds.cash_of(refund) == 500_000
        assert totals(line_of(order)) == (0, 0, 500_000, 0)
        assert credit.balance(instance_id=order.instance_id) == 99_000
        order.refresh_from_db()
        assert (order.paid_amount, order.refunded_amount) == (0, 599_000)

    def test_order_paid_by_credit_alone_leaves_the_bank_nothing_to_send(self) -> None:
        order = paid_order(99_000, by_credit=99_000)
        refund = approve(ask(99_000, order_id=order.pk))
        assert (refund.status, list(refunds.payouts())) == (RefundStatus.SENT, [])
        assert credit.balance(instance_id=order.instance_id) == 99_000


def test_part_of_an_order_leaves_the_newest_line_first_and_the_receipt_alone() -> None:
    order = PaymentOrderFactory(amount=600_000)
    first, second = line(400_000), line(200_000)
    allocate(order, first, 400_000)
    PaymentAllocation.objects.create(transfer=second, order=order, amount=200_000)
    receipts.issue(order=paid(order), at=NOW)
    approve(ask(250_000, order_id=order.pk))
    assert (totals(first), totals(second)) == ((350_000, 0, 50_000, 0), (0, 0, 200_000, 0))
    assert refunds.refundable(order_id=order.pk) == 350_000
    approve(ask(350_000, order_id=order.pk))
    assert totals(first) == (0, 0, 400_000, 0)
    assert Receipt.objects.filter(kind=ReceiptKind.VOID).count() == 1


def test_line_without_order_goes_back_and_leaves_the_inbox() -> None:
    transfer = line(300_000)
    refund = approve(ask(300_000, transfer_id=transfer.pk))
    assert totals(transfer) == (0, 0, 300_000, 0)
    assert transfer.state == TransferState.MATCHED
    assert refund.payee_account == "0071000123456"
    (_, row) = payouts_csv(refunds.payouts()).decode("utf-8-sig").split("\r\n")[:2]
    assert row.startswith("1,NGUYEN THI HOANG YEN,0071000123456,970436,")
    assert row.endswith(f",300000,KITEHUB HOAN TIEN {str(refund.pk)[:8].upper()}")


def test_credit_goes_back_as_far_as_it_was_money() -> None:
    instance = InstanceFactory()
    old, new = line(100_000), line(50_000, transferred_at=NOW.replace(day=24))
    keep_as_credit(instance, old, 100_000)
    keep_as_credit(instance, new, 50_000)
    credit.grant(instance_id=instance.pk, amount=30_000, reason="Xin lỗi", actor="lan", at=NOW)
    assert refunds.refundable(instance_id=instance.pk) == 150_000
    spend_on(PaymentOrderFactory(instance=instance), 80_000)
    # The goodwill and 50,000 of the money are used.
    assert refunds.refundable(instance_id=instance.pk) == 100_000
    approve(ask(100_000, instance_id=instance.pk))
    assert (totals(new), totals(old)) == ((0, 0, 50_000, 0), (0, 50_000, 50_000, 0))
    assert credit.balance(instance_id=instance.pk) == 0
    with pytest.raises(credit.NotEnoughCredit):
        credit.spend(instance_id=instance.pk, amount=1, actor="x", at=NOW)


class TestRefused:
    def test_who_asked_may_reject_but_not_approve(self) -> None:
        refund = ask(1_000, transfer_id=line(1_000).pk)
        same = refused(lambda: approve(refund, "lan@kitehub.vn"))
        assert same.refusal == RefundRefusal.SAME_PERSON
        with pytest.raises(IntegrityError, match="refunds_two_people_check"), transaction.atomic():
            execute(
                "UPDATE refunds SET status = 'APPROVED', decided_at = now(),"
                " decided_by = requested_by WHERE id = %s",
                refund.pk,
            )
        refunds.reject(refund_id=refund.pk, actor="lan@kitehub.vn", at=NOW, decision="Nhầm")
        assert refused(lambda: approve(refund)).refusal == RefundRefusal.DECIDED

    def test_nobody_is_passed_over_and_nothing_changes_once_it_is_asked_for(self) -> None:
        refund = ask(1_000, transfer_id=line(1_000).pk)
        for change in ("amount = 2", "payee_account = '1'", "requested_by = 'x'"):
            with pytest.raises(IntegrityError), transaction.atomic():
                execute(f"UPDATE refunds SET {change} WHERE id = %s", refund.pk)
        with pytest.raises(IntegrityError), transaction.atomic():
            execute("UPDATE refunds SET status = 'SENT' WHERE id = %s", refund.pk)
        early = refused(
            lambda: refunds.mark_sent(refund_id=refund.pk, reference="F", actor="m", at=NOW)
        )
        assert early.refusal == RefundRefusal.DECIDED

    def test_more_than_there_is_with_what_others_ask_for(self) -> None:
        transfer = line(100_000)
        ask(60_000, transfer_id=transfer.pk)
        for amount in (0, -1, 40_001):
            more = refused(lambda amount=amount: ask(amount, transfer_id=transfer.pk))
            assert (more.refusal, more.available) == (RefundRefusal.AMOUNT, 40_000)
        assert refunds.refundable(transfer_id=transfer.pk) == 40_000

    def test_what_was_used_meanwhile_is_not_paid_back(self) -> None:
        transfer = line(100_000)
        refund = ask(100_000, transfer_id=transfer.pk)
        allocate(PaymentOrderFactory(), transfer, 30_000)
        late = refused(lambda: approve(refund))
        assert (late.refusal, late.available) == (RefundRefusal.AMOUNT, 70_000)
        assert totals(transfer) == (30_000, 0, 0, 70_000)

    def test_money_that_is_not_kitehubs(self) -> None:
        schools = PaymentOrderFactory(paid=True, type=PaymentType.ENROLLMENT)
        own = line(5_000, instance=InstanceFactory())
        for of in ({"order_id": schools.pk}, {"transfer_id": own.pk}):
            assert refused(lambda of=of: ask(1, **of)).refusal == RefundRefusal.NOT_OURS
        unpaid = PaymentOrderFactory()
        nothing = refused(lambda: ask(1, order_id=unpaid.pk))
        assert nothing.refusal == RefundRefusal.NO_MONEY

    def test_payee_that_nobody_named(self) -> None:
        for said in ({"counterparty_account": ""}, {"counterparty_bank": "NGAN HANG"}):
            silent = line(5_000, **said)
            nobody = refused(lambda silent=silent: ask(5_000, transfer_id=silent.pk))
            assert nobody.refusal == RefundRefusal.NO_PAYEE
        payee = Payee(bank_bin="970422", account_number="123", name="TRUONG A")
        assert ask(5_000, transfer_id=silent.pk, payee=payee).payee_bank_bin == "970422"

    def test_no_reason_or_no_single_origin(self) -> None:
        transfer = line(5_000)
        with pytest.raises(ValueError, match="reason"):
            ask(1, transfer_id=transfer.pk, reason=" ")
        with pytest.raises(ValueError, match="order"):
            ask(1)
        with pytest.raises(ValueError, match="order"):
            ask(1, transfer_id=transfer.pk, instance_id=transfer.pk)


def test_goodwill_that_comes_after_money_was_used_is_not_paid_out() -> None:
    order = paid_order(100_000, by_credit=60_000)
    school = order.instance_id
    credit.grant(instance_id=school, amount=60_000, reason="sorry", actor="lan", at=LATER)
    assert refunds.refundable(instance_id=school) == 0
    approve(ask(100_000, order_id=order.pk))
    assert credit.balance(instance_id=school) == 120_000
    assert refunds.refundable(instance_id=school) == 60_000
