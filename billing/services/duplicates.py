"""A person says that a bank line tells again of money that was entered by hand, or takes it back.

Twins that sources tell of are known by themselves, when their lines are stored.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.enums import TransferState, UnmatchedReason
from billing.models import BankTransfer, ManualPayment
from billing.services.inbox import CannotMatch, waiting
from billing.services.transfers import lock
from kitehub.db.acting import acting


def entered_alike(line: BankTransfer) -> QuerySet[ManualPayment]:
    """Payments by hand whose money a line may be, the oldest first."""
    told = BankTransfer.objects.by_hand_like(line)
    rows = ManualPayment.objects.filter(transfer__in=told).select_related("order")
    return rows.order_by("received_at", "pk")


def lock_alike(line: BankTransfer) -> None:
    """Keeps others from telling of the same money, to the end of the transaction.

    Before the line itself is locked: whoever stores lines locks in this order.
    """
    lock([line])


def mark_duplicate(
    *, transfer_id: UUID, told_id: UUID, actor: str, reason: str, at: datetime | None = None
) -> BankTransfer:
    """Says that a waiting line is the money of a payment by hand: it counts once from now on.

    `told_id` is that payment's own bank line. Raises CannotMatch for a line that doesn't wait, or
    of which a part is for something; for a payment that isn't like it, which is one of another
    amount or account, of other days, or that the line's source has told already; and for a missing
    reason.
    """
    now = at or timezone.now()
    if not reason.strip():
        raise CannotMatch(_("A line is tied to a payment for a reason."))
    with transaction.atomic(), acting(actor, reason, at=now):
        found = BankTransfer.objects.filter(pk=transfer_id).first()
        if found is not None:
            lock_alike(found)
        transfer = waiting(transfer_id)
        if transfer.unmatched < transfer.amount:
            raise CannotMatch(
                _("A part of this line is for something already: take it back first.")
            )
        if not entered_alike(transfer).filter(transfer=told_id).exists():
            raise CannotMatch(_("It can't be the money of this payment."))
        BankTransfer.objects.filter(pk=transfer.pk).update(
            state=TransferState.DUPLICATE,
            duplicate_of=told_id,
            reason=transfer.reason or UnmatchedReason.BY_HAND,
            note=f"{actor}: {reason}"[:500],
            settled_at=now,
        )
        transfer.refresh_from_db()
        return transfer


def unmark_duplicate(
    *, transfer_id: UUID, actor: str, reason: str, at: datetime | None = None
) -> BankTransfer:
    """Takes back that a line is a payment's money: it counts by itself, and waits again.

    Raises CannotMatch for a line of which no person has said so.
    """
    now = at or timezone.now()
    with transaction.atomic(), acting(actor, reason, at=now):
        rows = BankTransfer.objects.select_for_update(of=("self",), no_key=True)
        transfer = rows.get(pk=transfer_id)
        if not transfer.is_tied:
            raise CannotMatch(_("Nobody has tied this line to a payment by hand."))
        rows.filter(pk=transfer.pk).update(
            state=TransferState.UNMATCHED, duplicate_of=None, settled_at=None
        )
        transfer.refresh_from_db()
        return transfer
