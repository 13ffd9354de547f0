"""The inbox of bank lines that nobody could match: what people do with them.

Locks are taken in settlement's order.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.enums import (
    PAYABLE,
    CreditKind,
    FeedProvider,
    PaymentStatus,
    PlannedState,
    TransferState,
    UnmatchedReason,
)
from billing.models import (
    BankTransfer,
    CreditEntry,
    ManualPayment,
    PaymentAllocation,
    PaymentOrder,
    PlannedMatch,
)
from billing.services import credit, settlement
from billing.services.paying_accounts import is_closed, is_paid_to
from billing.services.releasing import held_by
from billing.services.transfers import IMPORTED_ALONE
from kitehub.db.acting import acting
from kitehub.display import money
from kitehub.models import Instance


class CannotMatch(Exception):
    """What was asked for can't be booked; the text says why, to people, and nothing was."""


def match_transfer(
    *,
    transfer_id: UUID,
    parts: Sequence[tuple[UUID, int]],
    actor: str,
    reason: str,
    at: datetime | None = None,
    plan_id: UUID | None = None,
    approves: bool = False,
) -> BankTransfer:
    """Books a waiting line on orders, each with its đồng; what is left goes on waiting.

    An order that is complete by it is PAID, with all that follows. `plan_id` is the planned match
    that is booked by this; another one's line doesn't wait. The money of a payment by hand is for
    another order only by who `approves` such and didn't enter it. Raises CannotMatch for anybody
    else, for a line that doesn't wait or that the actor imported alone, an order that can't be
    paid, is paid on another account or is of a closed school, and amounts that are more than the
    line has or the order asks for.
    """
    now = at or timezone.now()
    with transaction.atomic(), acting(actor, reason, at=now):
        transfer = waiting(transfer_id, plan_id=plan_id)
        _check_by_hand(transfer, {key for key, _amount in parts}, actor=actor, approves=approves)
        _check_person(transfer, actor)
        orders = _payable([order_id for order_id, _amount in parts], transfer)
        if sum(amount for _order_id, amount in parts) > transfer.unmatched:
            raise CannotMatch(_left(transfer))
        for order_id, amount in parts:
            order = orders[order_id]
            if not 0 < amount <= order.rest:
                raise CannotMatch(
                    _("%(order)s asks for %(rest)s, not %(amount)s.")
                    % {
                        "order": order.order_id,
                        "rest": money(order.rest),
                        "amount": money(amount),
                    }
                )
            settlement.book(transfer, order, amount, at=now)
        paid = settlement.conclude_payments(list(orders.values()), at=now, actor=actor)
        transfer = _concluded(transfer, now)
        settlement.issue_receipts(paid, at=now)
        return transfer


def keep_transfer_as_credit(
    *,
    transfer_id: UUID,
    instance: Instance,
    actor: str,
    reason: str,
    amount: int | None = None,
    at: datetime | None = None,
    approves: bool = False,
) -> BankTransfer:
    """Keeps what is left of a waiting line, or an amount of it, as an instance's credit.

    The money of a payment by hand only by who `approves` such and didn't enter it. Raises
    CannotMatch for anybody else, and for a line that doesn't wait, that the actor imported alone,
    that is of a school's own account, or has less.
    """
    now = at or timezone.now()
    with transaction.atomic(), acting(actor, reason, at=now):
        transfer = waiting(transfer_id)
        _check_by_hand(transfer, set(), actor=actor, approves=approves)
        _check_person(transfer, actor)
        if transfer.instance_id is not None:
            raise CannotMatch(_("What came to a school's own account is no credit with KiteHub."))
        kept = transfer.unmatched if amount is None else amount
        if not 0 < kept <= transfer.unmatched:
            raise CannotMatch(_left(transfer))
        credit.add(
            instance_id=instance.pk,
            amount=kept,
            kind=CreditKind.EXCESS,
            transfer=transfer,
            actor=actor,
            reason=reason,
            at=now,
        )
        return _concluded(transfer, now)


def take_credit_back(
    *, transfer_id: UUID, actor: str, reason: str, at: datetime | None = None
) -> BankTransfer:
    """Undoes that a line was kept as credit, of all of it; the line waits again.

    Raises CannotMatch for a line of which nothing is credit, and where its money is used already,
    though there be goodwill: that is never paid out.
    """
    now = at or timezone.now()
    with transaction.atomic(), acting(actor, reason, at=now):
        transfer = BankTransfer.objects.select_for_update(of=("self",), no_key=True).get(
            pk=transfer_id
        )
        kept = CreditEntry.objects.filter(transfer=transfer).values("instance_id")
        held = kept.annotate(held=Sum("amount")).filter(held__gt=0).order_by("instance_id")
        rows = list(held.values_list("instance_id", "held"))
        if not rows:
            raise CannotMatch(_("Nothing of this line is kept as credit."))
        for instance_id, amount in rows:
            _check_unused(instance_id, amount)
            credit.spend(
                instance_id=instance_id,
                amount=amount,
                kind=CreditKind.UNDONE,
                transfer=transfer,
                actor=actor,
                reason=reason,
                at=now,
            )
        BankTransfer.objects.filter(pk=transfer.pk).update(
            state=TransferState.UNMATCHED, reason=UnmatchedReason.UNDONE, settled_at=None
        )
        transfer.refresh_from_db()
        return transfer


def waiting(transfer_id: UUID, *, plan_id: UUID | None = None) -> BankTransfer:
    """A line that waits for a person, locked.

    Raises CannotMatch for any other, and for one that somebody has just assigned, unless that is
    the planned match `plan_id`.
    """
    rows = BankTransfer.objects.select_for_update(of=("self",), no_key=True)
    transfer = rows.filter(pk=transfer_id).first()
    if transfer is None:
        raise CannotMatch(_("There is no such bank line."))
    if transfer.state != TransferState.UNMATCHED:
        raise CannotMatch(_state(transfer))
    planned = PlannedMatch.objects.filter(transfer=transfer, state=PlannedState.PLANNED)
    other = planned.select_related("order").first()
    if other is not None and other.pk != plan_id:
        raise CannotMatch(
            _("%(who)s has just assigned it to %(order)s.")
            % {"who": other.created_by, "order": other.order.order_id}
        )
    return transfer


def unmatch(
    *, allocation_id: UUID, actor: str, reason: str, at: datetime | None = None
) -> BankTransfer:
    """Takes what is left of an allocation off its order; the bank line waits again.

    Only while the order isn't paid: a paid one is refunded. Raises CannotMatch.
    """
    now = at or timezone.now()
    with transaction.atomic(), acting(actor, reason, at=now):
        allocation = PaymentAllocation.objects.get(pk=allocation_id)
        if allocation.transfer_id is None or allocation.amount < 0:
            raise CannotMatch(_("Only what a bank line gave can go back to it."))
        transfer = BankTransfer.objects.select_for_update(of=("self",), no_key=True).get(
            pk=allocation.transfer_id
        )
        order = PaymentOrder.all_objects.select_for_update(of=("self",), no_key=True).get(
            pk=allocation.order_id
        )
        if order.status == PaymentStatus.PAID:
            raise CannotMatch(
                _("%(order)s is paid; refund it instead.") % {"order": order.order_id}
            )
        held = {each.pk: left for each, left in held_by(order)}
        if allocation.pk not in held:
            raise CannotMatch(_("Nothing of this allocation is left."))
        PaymentAllocation.objects.create(
            transfer=transfer,
            order=order,
            amount=-held[allocation.pk],
            reverses=allocation,
            created_at=now,
        )
        BankTransfer.objects.filter(pk=transfer.pk).update(
            state=TransferState.UNMATCHED, reason=UnmatchedReason.UNDONE, settled_at=None
        )
        transfer.refresh_from_db()
        return transfer


def discard(
    *, transfer_id: UUID, actor: str, reason: str, at: datetime | None = None
) -> BankTransfer:
    """Takes a waiting line out of the inbox, with a reason; its money stays unmatched in the books.

    Raises CannotMatch for a line that doesn't wait, and for a missing reason.
    """
    now = at or timezone.now()
    if not reason.strip():
        raise CannotMatch(_("A line is discarded for a reason."))
    with transaction.atomic(), acting(actor, reason, at=now):
        transfer = waiting(transfer_id)
        BankTransfer.objects.filter(pk=transfer.pk).update(
            state=TransferState.DISCARDED, note=f"{actor}: {reason}"[:500], settled_at=now
        )
        transfer.refresh_from_db()
        return transfer


def undo_discard(*, transfer_id: UUID, actor: str, reason: str = "") -> BankTransfer:
    """Puts a discarded line back into the inbox; raises CannotMatch for any other."""
    with transaction.atomic(), acting(actor, reason):
        transfer = BankTransfer.objects.select_for_update(of=("self",), no_key=True).get(
            pk=transfer_id
        )
        if transfer.state != TransferState.DISCARDED:
            raise CannotMatch(_state(transfer))
        BankTransfer.objects.filter(pk=transfer.pk).update(
            state=TransferState.UNMATCHED, settled_at=None
        )
        transfer.refresh_from_db()
        return transfer


# --- Parts --------------------------------------------------------------------------------------


def _check_by_hand(
    transfer: BankTransfer, orders: set[UUID], *, actor: str, approves: bool
) -> None:
    """Two people confirmed a payment by hand for one order; for anything else it takes two, too.

    While it is being confirmed its line isn't the payment's yet. Raises CannotMatch.
    """
    if transfer.provider != FeedProvider.MANUAL:
        return
    payment = ManualPayment.objects.filter(transfer=transfer).select_related("order").first()
    if payment is None or orders == {payment.order_id}:
        return
    if not approves or actor == payment.requested_by:
        raise CannotMatch(
            _(
                "It was entered by hand for %(order)s. It is made something else only by somebody "
                "who may confirm such payments and didn't enter this one."
            )
            % {"order": payment.order.order_id}
        )


def _check_person(transfer: BankTransfer, actor: str) -> None:
    """Of what one person imported, and no feed has told, another says what it is for."""
    alone = transfer.provider == FeedProvider.STATEMENT and transfer.raw.get(IMPORTED_ALONE)
    if not alone or transfer.raw.get("by") != actor:
        return
    again = BankTransfer.objects.filter(duplicate_of=transfer)
    if not again.exclude(provider__in=(FeedProvider.STATEMENT, FeedProvider.MANUAL)).exists():
        raise CannotMatch(
            _("You imported this line and no feed told it: somebody else assigns it.")
        )


def _left(transfer: BankTransfer) -> str:
    return _("The bank line has %(left)s left.") % {"left": money(transfer.unmatched)}


def _check_unused(instance_id: UUID, amount: int) -> None:
    """Locks an instance's credit; raises CannotMatch where less of it is money than an amount."""
    balance = credit.lock_balance(instance_id=instance_id)
    left = min(balance, credit.money_left(instance_id=instance_id))
    if left >= amount:
        return
    if balance > left:
        said = _("Of this credit only %(left)s is left. The rest of the school's is goodwill.")
    else:
        said = _("Of this credit only %(left)s is left.")
    raise CannotMatch(said % {"left": money(left)})


def _state(transfer: BankTransfer) -> str:
    return _("The bank line is in the state “%(state)s”.") % {"state": transfer.get_state_display()}


def _payable(keys: Sequence[UUID], transfer: BankTransfer) -> dict[UUID, PaymentOrder]:
    """The orders, locked; raises CannotMatch."""
    if not keys or len(set(keys)) < len(keys):
        raise CannotMatch(_("Each order is named once, and at least one is."))
    rows = PaymentOrder.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=keys)
    found = {order.pk: order for order in rows.order_by("pk")}
    for key in keys:
        order = found.get(key)
        if order is None:
            raise CannotMatch(_("There is no such order."))
        if order.status not in PAYABLE:
            raise CannotMatch(
                _("%(order)s can't be paid: %(status)s.")
                % {"order": order.order_id, "status": order.get_status_display()}
            )
        if not is_paid_to(order, transfer):
            raise CannotMatch(
                _("%(order)s is paid on another account.") % {"order": order.order_id}
            )
        if is_closed(order):
            raise CannotMatch(
                _("%(order)s is of a school or a subscription that is closed.")
                % {"order": order.order_id}
            )
    return found


def _concluded(transfer: BankTransfer, now: datetime) -> BankTransfer:
    transfer.refresh_from_db()
    if not transfer.unmatched:
        BankTransfer.objects.filter(pk=transfer.pk).update(
            state=TransferState.MATCHED, settled_at=now
        )
        transfer.refresh_from_db()
    return transfer
