"""When an order's money was there, by the bank's clock, whatever order its lines came here in.

A time that was still to come when the line was told counts as the moment of the telling: a service
whose clock is wrong must not put the money, and the month that it pays, into the future.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.enums import CreditKind
from billing.models import BankTransfer, CreditEntry, PaymentOrder
from kitehub.db import rows

# When the bank had a line, its key, how the bank calls it, and how much of it counts.
_Line = tuple[datetime, UUID, str, int]
# Credit has no line.
_BOOKED = """
    SELECT booked.amount, line.id, LEAST(line.transferred_at, line.received_at),
        COALESCE(NULLIF(line.reference, ''), line.provider_id), line.amount, line.allocated_amount
    FROM payment_allocations booked LEFT JOIN bank_transfers line ON line.id = booked.transfer_id
    WHERE booked.order_id = %s
"""


@dataclass(frozen=True, slots=True)
class _Booked:
    """What was booked on an order: lines, and đồng of credit."""

    lines: list[_Line]
    credit: int


def paid_by(order: PaymentOrder) -> tuple[datetime, str] | None:
    """The time and the reference of the bank line that completed an order; None without lines.

    By the lines' own amounts, in the order that the bank had them. Credit counts as there from the
    beginning.
    """
    return _completed(order, _booked(order))


def paid_first_by(order: PaymentOrder) -> tuple[datetime, str] | None:
    """As `paid_by`, with the lines too that came for it when it was paid and are credit now.

    None for an order that no bank line pays: credit did, or another program took the money.
    """
    booked = _booked(order)
    if not booked.lines:
        return None
    kept = CreditEntry.objects.filter(order=order, kind=CreditKind.EXCESS)
    lines = BankTransfer.objects.filter(pk__in=kept.values("transfer_id"))
    for line in lines.exclude(pk__in=[key for _moment, key, _called, _share in booked.lines]):
        called = line.reference or line.provider_id
        moment = min(line.transferred_at, line.received_at)
        booked.lines.append((moment, line.pk, called, line.amount))
    return _completed(order, booked)


def _completed(order: PaymentOrder, booked: _Booked) -> tuple[datetime, str] | None:
    needed = order.amount - max(order.credit_offered, booked.credit)
    found = None
    total = 0
    for moment, _key, called, share in sorted(booked.lines):
        found = moment, called[:100]
        total += share
        if total >= needed:
            break
    return found


def _booked(order: PaymentOrder) -> _Booked:
    """The bank lines that an order's allocations are of; one for several counts with its share."""
    lines: dict[UUID, _Line] = {}
    credit = 0
    for amount, key, moment, called, whole, allocated in rows.fetch(_BOOKED, [order.pk]):
        if key is None:
            credit += amount
        elif amount > 0:
            lines[key] = moment, key, called, whole if amount == allocated else amount
    return _Booked(list(lines.values()), credit)
