"""What a payment order was given is taken back: it is the instance's credit, or a line's again."""

from datetime import datetime

from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from billing.enums import CreditKind, PaymentType, TransferState, UnmatchedReason
from billing.models import BankTransfer, PaymentAllocation, PaymentOrder
from billing.services import credit

# Why the money of an upgrade is credit that came when there was nothing that it would raise.
IN_VAIN = "nothing is left to upgrade"


def release(
    order: PaymentOrder, *, kind: CreditKind, reason: str, actor: str, at: datetime
) -> None:
    """Takes back all that a locked order, which isn't PAID, has been given.

    A subscription's money is the instance's credit then; a course's goes back to its bank line and
    waits for a person.
    """
    as_credit = order.type == PaymentType.SUBSCRIPTION and order.instance_id is not None
    for allocation, amount in held_by(order):
        PaymentAllocation.objects.create(
            transfer_id=allocation.transfer_id,
            credit_entry_id=allocation.credit_entry_id,
            order=order,
            amount=-amount,
            reverses=allocation,
            created_at=at,
            reason=reason,
        )
        if as_credit:
            assert order.instance_id is not None  # noqa: S101 - as_credit says so
            credit.add(
                instance_id=order.instance_id,
                amount=amount,
                kind=kind,
                transfer=allocation.transfer,
                order=order,
                actor=actor,
                reason=reason,
                at=at,
            )
        elif allocation.transfer_id:
            BankTransfer.objects.filter(pk=allocation.transfer_id).update(
                state=TransferState.UNMATCHED,
                reason=UnmatchedReason.CANCELLED_ORDER,
                settled_at=None,
            )


def held_by(order: PaymentOrder) -> list[tuple[PaymentAllocation, int]]:
    """The allocations of an order of which something is left, each with what is."""
    rows = (
        PaymentAllocation.objects.filter(order=order, amount__gt=0)
        .annotate(left=F("amount") + Coalesce(Sum("reversals__amount"), 0))
        .filter(left__gt=0)
        .select_related("transfer")
        .order_by("created_at", "pk")
    )
    return [(allocation, allocation.left) for allocation in rows]
