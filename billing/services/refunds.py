"""Refunds: one person asks, another approves, and the money counts as paid back from then on.

The refund itself is locked first, then what settlement locks, in its order.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from billing.banks import bank
from billing.enums import CreditKind, RefundRefusal, RefundSource, RefundStatus, TransferState
from billing.models import BankTransfer, CreditEntry, PaymentAllocation, PaymentOrder, Refund
from billing.refund_export import Payout
from billing.services import credit, receipts
from billing.services.refund_sources import Origin, Payee, RefundRefused, payee_of
from billing.services.releasing import held_by
from billing.services.subscriptions import NoSubscription, rebuild
from kitehub.db.acting import REASON_LENGTH, acting

# --- Asking -------------------------------------------------------------------------------------


@transaction.atomic
def request_refund(
    *,
    amount: int,
    reason: str,
    actor: str,
    at: datetime,
    order_id: UUID | None = None,
    transfer_id: UUID | None = None,
    instance_id: UUID | None = None,
    payee: Payee | None = None,
    key: UUID | None = None,
) -> Refund:
    """Asks for some đồng of a paid order, of a bank line without order or of credit to go back.

    One of the three keys says of what; `instance_id` means the instance's credit. Without a payee
    the money goes back to where it came from, as far as the bank said. Who names the `key` can't
    ask twice. Raises ValueError for none or several keys of what goes back or a missing reason, and
    RefundRefused.
    """
    if not reason.strip():
        raise ValueError("reason is empty, and a refund has one.")
    origin = Origin.given(order_id=order_id, transfer_id=transfer_id, instance_id=instance_id)
    lines = origin.lock()
    # After the lock, for which the same request sent twice at once waits.
    if key is not None and Refund.objects.filter(pk=key).exists():
        raise RefundRefused(RefundRefusal.THERE)
    left = origin.available() - origin.asked_for()
    if not 0 < amount <= left:
        raise RefundRefused(RefundRefusal.AMOUNT, available=max(left, 0))
    payee = payee or payee_of(lines)
    if origin.cash(amount) and not (payee.account_number.strip() and bank(payee.bank_bin)):
        raise RefundRefused(RefundRefusal.NO_PAYEE)
    with acting(actor, reason):
        return Refund.objects.create(
            **({} if key is None else {"pk": key}),
            source=origin.source,
            order_id=order_id,
            transfer_id=transfer_id,
            instance_id=origin.instance_id(),
            amount=amount,
            reason=reason,
            status=RefundStatus.REQUESTED,
            payee_bank_bin=payee.bank_bin,
            payee_account=payee.account_number.strip(),
            payee_name=payee.name.strip(),
            requested_by=actor,
            requested_at=at,
        )


def refundable(
    *,
    order_id: UUID | None = None,
    transfer_id: UUID | None = None,
    instance_id: UUID | None = None,
) -> int:
    """How many đồng a refund may be asked for at this moment; 0 where none may.

    What is asked for already and not decided yet is taken off. Raises ValueError for none or
    several keys.
    """
    origin = Origin.given(order_id=order_id, transfer_id=transfer_id, instance_id=instance_id)
    try:
        return max(origin.available() - origin.asked_for(), 0)
    except RefundRefused:
        return 0


# --- Deciding -----------------------------------------------------------------------------------


@transaction.atomic
def approve(*, refund_id: UUID, actor: str, at: datetime, decision: str = "") -> Refund:
    """Approves a refund, and books it: from here on the money counts as paid back.

    Of an order the money of its bank lines goes first; what was paid by credit becomes credit
    again. An order that is paid back whole loses its period, and its receipt becomes void; paid
    back in part it keeps both. Raises RefundRefused, for the person who asked among others.
    """
    refund = _locked(refund_id, RefundStatus.REQUESTED)
    if actor == refund.requested_by:
        raise RefundRefused(RefundRefusal.SAME_PERSON)
    origin = Origin.of(refund)
    origin.lock()
    available = origin.available()
    if refund.amount > available:
        raise RefundRefused(RefundRefusal.AMOUNT, available=available)
    _decide(refund, RefundStatus.APPROVED, actor=actor, at=at, decision=decision)
    with acting(actor, refund.reason, at=at):
        match origin.source:
            case RefundSource.ORDER:
                _take_back_order(refund, origin.key, actor=actor, at=at)
            case RefundSource.CREDIT:
                _take_back_credit(refund, origin.key, actor=actor, at=at)
            case RefundSource.TRANSFER:
                _close_line(origin.key, at=at)
    if not cash_of(refund):
        _send(refund, reference="", actor=actor, at=at)
    return refund


@transaction.atomic
def reject(*, refund_id: UUID, actor: str, at: datetime, decision: str) -> Refund:
    """Rejects a refund; who asked may do so too, and so takes it back.

    Raises ValueError for a missing reason, and RefundRefused.
    """
    if not decision.strip():
        raise ValueError("decision is empty, and a rejection has its reason.")
    refund = _locked(refund_id, RefundStatus.REQUESTED)
    _decide(refund, RefundStatus.REJECTED, actor=actor, at=at, decision=decision)
    return refund


@transaction.atomic
def mark_sent(*, refund_id: UUID, reference: str, actor: str, at: datetime) -> Refund:
    """Says that the bank has sent an approved refund, under this reference of the bank.

    Raises ValueError for a missing reference, and RefundRefused.
    """
    if not reference.strip():
        raise ValueError("reference is empty, and a transfer that was sent has one.")
    refund = _locked(refund_id, RefundStatus.APPROVED)
    _send(refund, reference=reference.strip(), actor=actor, at=at)
    return refund


def _locked(refund_id: UUID, status: RefundStatus) -> Refund:
    refund = Refund.objects.select_for_update(of=("self",), no_key=True).get(pk=refund_id)
    if refund.status != status:
        raise RefundRefused(RefundRefusal.DECIDED)
    return refund


def _decide(
    refund: Refund, status: RefundStatus, *, actor: str, at: datetime, decision: str
) -> None:
    refund.status = status
    refund.decided_by = actor
    refund.decided_at = at
    refund.decision = decision
    refund.save(update_fields=["status", "decided_by", "decided_at", "decision"])


def _send(refund: Refund, *, reference: str, actor: str, at: datetime) -> None:
    refund.status = RefundStatus.SENT
    refund.sent_by = actor
    refund.sent_at = at
    refund.sent_reference = reference
    refund.save(update_fields=["status", "sent_by", "sent_at", "sent_reference"])


# --- Sending ------------------------------------------------------------------------------------


def cash_of(refund: Refund) -> int:
    """How many đồng of an approved refund the bank has to send.

    Less than its amount where the order was paid by credit, which is credit again.
    """
    back = CreditEntry.objects.filter(refund=refund, amount__gt=0)
    return refund.amount - (back.aggregate(sum=Sum("amount"))["sum"] or 0)


def to_send(refund: Refund) -> int:
    """How many đồng the bank has to send, or would have to if it were approved now."""
    if refund.status == RefundStatus.REQUESTED:
        return Origin.of(refund).cash(refund.amount)
    return cash_of(refund)


def payouts() -> Iterator[Payout]:
    """What the bank has to send, the refund that was approved first comes first."""
    waiting = Refund.objects.filter(status=RefundStatus.APPROVED).select_related("order")
    for refund in waiting.order_by("decided_at", "pk"):
        known = bank(refund.payee_bank_bin)
        what = refund.order.order_id if refund.order else str(refund.pk)[:8]
        yield Payout(
            payee_name=refund.payee_name,
            account_number=refund.payee_account,
            bank_bin=refund.payee_bank_bin,
            bank_name=known.name if known else "",
            amount=cash_of(refund),
            memo=f"KiteHub hoàn tiền {what}",
        )


# --- Booking ------------------------------------------------------------------------------------


def _take_back_order(refund: Refund, order_id: UUID, *, actor: str, at: datetime) -> None:
    order = PaymentOrder.all_objects.get(pk=order_id)
    for allocation, amount in _newest_first(order, refund.amount):
        PaymentAllocation.objects.create(
            transfer_id=allocation.transfer_id,
            credit_entry_id=allocation.credit_entry_id,
            order_id=order_id,
            amount=-amount,
            reverses=allocation,
            refund=refund,
            created_at=at,
        )
        if allocation.credit_entry is not None:
            credit.add(
                instance_id=allocation.credit_entry.instance_id,
                amount=amount,
                kind=CreditKind.UNDONE,
                order=order,
                refund=refund,
                actor=actor,
                reason=refund.reason,
                at=at,
            )
    order.refresh_from_db()
    if order.paid_amount == 0:
        _take_back_time(order, refund, actor=actor, at=at)
        receipts.void_receipt_of(order=order, reason=refund.reason, actor=actor, at=at)


def _newest_first(order: PaymentOrder, amount: int) -> Iterator[tuple[PaymentAllocation, int]]:
    """What to take back of which allocation: bank lines before credit, the newest first."""
    newest = reversed(held_by(order))
    for allocation, left in sorted(newest, key=lambda pair: pair[0].transfer_id is None):
        part = min(amount, left)
        if part:
            amount -= part
            yield allocation, part


def _take_back_credit(refund: Refund, instance_id: UUID, *, actor: str, at: datetime) -> None:
    rest = refund.amount
    for transfer_id, held in credit.held_by_transfers(instance_id=instance_id).items():
        part = min(rest, held)
        if not part:
            return
        rest -= part
        credit.spend(
            instance_id=instance_id,
            amount=part,
            kind=CreditKind.REFUNDED,
            transfer=BankTransfer.objects.get(pk=transfer_id),
            refund=refund,
            actor=actor,
            reason=refund.reason,
            at=at,
        )


def _close_line(transfer_id: UUID, *, at: datetime) -> None:
    """A bank line of which nothing is left waits for nobody."""
    line = BankTransfer.objects.get(pk=transfer_id)
    if line.unmatched == 0 and line.state == TransferState.UNMATCHED:
        line.state = TransferState.MATCHED
        line.settled_at = at
        line.save(update_fields=["state", "settled_at"])


def _take_back_time(order: PaymentOrder, refund: Refund, *, actor: str, at: datetime) -> None:
    """Folds the subscription's periods anew, in which an order without money has no part."""
    if order.instance_id is None:
        return
    with suppress(NoSubscription):
        rebuild(
            instance_id=order.instance_id,
            at=at,
            actor=actor,
            reason=f"Order {order.order_id} is paid back: {refund.reason}"[:REASON_LENGTH],
        )
