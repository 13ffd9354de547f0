"""Bank lines are settled: matched to orders, booked, and what follows from an order being paid.

Whoever books locks in this order: bank lines, payment orders (by id), credit, instance,
subscription, the year's receipts. All of them FOR NO KEY UPDATE: whoever has written a row that
refers to one of these looks at its key once more at the commit, with all its own locks in hand, and
must not wait there. A line is settled once, whoever tries how often: its row is
locked, looked at again, and left alone unless it is RECEIVED.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from billing.enums import (
    PAYABLE,
    CreditKind,
    OrderPurpose,
    PaymentStatus,
    PaymentType,
    TransferDirection,
    TransferState,
    UnmatchedReason,
)
from billing.models import BankTransfer, PaymentAllocation, PaymentOrder
from billing.services import credit, reading, receipts, subscriptions
from billing.services.payment_times import paid_by, paid_first_by
from billing.services.releasing import IN_VAIN, release
from kitehub.db import rows
from kitehub.db.acting import acting

logger = logging.getLogger(__name__)

ACTOR = "settlement"
CREDIT_REFERENCE = "CREDIT"


def settle_transfer(*, transfer_id: UUID, at: datetime | None = None) -> TransferState:
    """Settles a bank line that nothing was made of yet; returns the state that it is in now.

    Exact money makes the order PAID; less leaves it open with what is paid so far; more is the
    instance's credit, or of a course waits for a person. Late money pays an EXPIRED order. What
    can't be understood is UNMATCHED with a reason. A settled line stays as it is. Raises
    DoesNotExist for no such line.
    """
    now = at or timezone.now()
    with transaction.atomic():
        found = rows.read(BankTransfer, "WHERE id = %s FOR NO KEY UPDATE", [transfer_id])
        if not found:
            raise BankTransfer.DoesNotExist(f"There is no bank line {transfer_id}.")
        (transfer,) = found
        if transfer.state != TransferState.RECEIVED:
            return TransferState(transfer.state)
        with acting(ACTOR, f"{transfer.provider} {transfer.provider_id}", at=now):
            if transfer.direction == TransferDirection.OUT:
                return _conclude(transfer, TransferState.IGNORED, UnmatchedReason.OUTGOING, now)
            state, paid = _settle(transfer, now)
        issue_receipts(paid, at=now)
        return state


def _settle(transfer: BankTransfer, now: datetime) -> tuple[TransferState, list[PaymentOrder]]:
    """Books a line; what became of it, and the orders that it has paid."""
    found = reading.read(transfer)
    for order, amount in found.parts:
        book(transfer, order, amount, at=now)
    reason = found.reason
    left = transfer.unmatched - sum(amount for _order, amount in found.parts)
    owner = found.paid or (found.parts[-1][0] if found.parts else None)
    if left and owner and owner.type == PaymentType.SUBSCRIPTION and owner.instance_id:
        keep_as_credit(transfer, owner, left, at=now)
        left = 0
        if found.paid:
            _redate(found.paid, at=now)
    elif left and found.parts:
        reason = UnmatchedReason.OVERPAID
    paid = conclude_payments([order for order, _amount in found.parts], at=now)
    state = TransferState.UNMATCHED if left else TransferState.MATCHED
    return _conclude(transfer, state, reason, now), paid


def _conclude(
    transfer: BankTransfer,
    state: TransferState,
    reason: UnmatchedReason | None,
    now: datetime,
) -> TransferState:
    transfer.state, transfer.reason = state, reason
    transfer.settled_at = None if state == TransferState.UNMATCHED else now
    rows.update(transfer, "state", "reason", "settled_at")
    return state


# --- Booking ------------------------------------------------------------------------------------


def book(transfer: BankTransfer, order: PaymentOrder, amount: int, *, at: datetime) -> None:
    """Allocates some đồng of a locked bank line to a locked order; the database adds them up."""
    rows.insert(PaymentAllocation(transfer=transfer, order=order, amount=amount, created_at=at))
    order.paid_amount += amount


def keep_as_credit(
    transfer: BankTransfer, order: PaymentOrder, amount: int, *, at: datetime
) -> None:
    """Keeps some đồng of a locked bank line as credit of an order's instance."""
    assert order.instance_id is not None  # noqa: S101 - the callers'
    credit.add(
        instance_id=order.instance_id,
        amount=amount,
        kind=CreditKind.EXCESS,
        transfer=transfer,
        order=order,
        actor=ACTOR,
        at=at,
    )


def conclude_payments(
    orders: Sequence[PaymentOrder], *, at: datetime, actor: str = ACTOR
) -> list[PaymentOrder]:
    """Makes those of some locked orders PAID of which all has come, and extends what they buy.

    An upgrade of which nothing would come, as nothing is left to upgrade, isn't paid: its money is
    credit then.

    The orders are as they were read under their locks, with what was booked since. Credit that was
    offered is used where it completes an order; where it is gone meanwhile, the order asks for it
    by transfer again. Returns those that it made PAID, whose receipts are the caller's to issue,
    last of all: see `issue_receipts`.
    """
    paid = [order for order in orders if _pay(order, at=at)]
    for order in sorted(filter(_is_ours, paid), key=lambda it: str(it.instance_id)):
        subscriptions.apply_payment(order=order, at=at, actor=actor)
    return paid


def issue_receipts(paid: Sequence[PaymentOrder], *, at: datetime) -> None:
    """Issues the receipts of orders that became PAID in this transaction, at its end.

    From the first number on, everybody else who issues one waits for that end; no school's row is
    locked after it.
    """
    for order in filter(_is_ours, paid):
        receipts.issue_first(order=order, at=at)


def _is_ours(order: PaymentOrder) -> bool:
    return order.type == PaymentType.SUBSCRIPTION and order.instance_id is not None


def _pay(order: PaymentOrder, *, at: datetime) -> bool:
    if order.status not in PAYABLE:
        return False
    if _is_vain(order, at=at):
        _give_up(order, at=at)
        return False
    if 0 < order.rest <= order.credit_offered and order.instance_id:
        _use_credit(order, at=at)
        order.refresh_from_db()
    if order.rest > 0:
        return False
    order.status = PaymentStatus.PAID
    order.paid_at, order.transaction_reference = paid_by(order) or (at, CREDIT_REFERENCE)
    rows.update(order, "status", "paid_at", "transaction_reference")
    return True


def _is_vain(order: PaymentOrder, *, at: datetime) -> bool:
    """Whether an order is complete, and is for raising what nothing is left of."""
    if order.purpose != OrderPurpose.UPGRADE or order.instance_id is None:
        return False
    if order.rest > order.credit_offered:
        return False
    paid_at, _reference = paid_by(order) or (at, "")
    return not subscriptions.would_take_effect(order=order, paid_at=paid_at)


def _give_up(order: PaymentOrder, *, at: datetime) -> None:
    """Keeps an order's money as credit, for it buys nothing; an open one is cancelled."""
    release(order, kind=CreditKind.RELEASED, reason=IN_VAIN, actor=ACTOR, at=at)
    PaymentOrder.objects.filter(pk=order.pk, status=PaymentStatus.PENDING).update(
        status=PaymentStatus.CANCELLED, cancelled_at=at, cancel_reason=IN_VAIN
    )
    order.refresh_from_db()


def _redate(order: PaymentOrder, *, at: datetime) -> None:
    """An order that was paid more than once was paid by the lines that the bank had first.

    Lines arrive in any order; what follows from them must not depend on it.
    """
    found = paid_first_by(order)
    if found is None or order.paid_at is None or found[0] >= order.paid_at:
        return
    order.paid_at, order.transaction_reference = found
    rows.update(order, "paid_at", "transaction_reference")
    subscriptions.apply_payment(order=order, at=at)


def _use_credit(order: PaymentOrder, *, at: datetime) -> None:
    assert order.instance_id is not None  # noqa: S101 - the caller's
    there = credit.lock_balance(instance_id=order.instance_id)
    if there < order.rest:
        PaymentOrder.objects.filter(pk=order.pk).update(credit_offered=0)
        return
    entry = credit.spend(
        instance_id=order.instance_id, amount=order.rest, order=order, actor=ACTOR, at=at
    )
    PaymentAllocation.objects.create(
        credit_entry=entry, order=order, amount=order.rest, created_at=at
    )


def pay_by_credit(order: PaymentOrder, *, at: datetime, actor: str) -> bool:
    """Pays an open order from its instance's credit alone; whether there was enough."""
    with acting(actor, at=at):
        paid = conclude_payments([order], at=at, actor=actor)
    issue_receipts(paid, at=at)
    return bool(paid)


# --- Those that nobody settled ------------------------------------------------------------------

# A line has its own job; this long after it came, the job must have been lost.
LOST_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Settled:
    """How many lines a run of `settle_waiting` settled, and those that it could not."""

    lines: int
    failed: tuple[UUID, ...]


def settle_waiting(*, at: datetime, lost_after: timedelta = LOST_AFTER) -> Settled:
    """Settles every bank line that nothing was made of for a while, the oldest first.

    Each is a transaction of its own, so a run that was killed keeps what it did; one that fails
    keeps no other from being settled, and is tried again by the next run.
    """
    waiting = BankTransfer.objects.unsettled().filter(received_at__lte=at - lost_after)
    keys = list(waiting.order_by("received_at", "pk").values_list("pk", flat=True))
    failed = []
    for key in keys:
        try:
            settle_transfer(transfer_id=key, at=at)
        except Exception:
            logger.exception("Bank line %s can't be settled.", key)
            failed.append(key)
    return Settled(len(keys) - len(failed), tuple(failed))
