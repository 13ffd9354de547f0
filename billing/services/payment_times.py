"""When an order's money was there, by the bank's clock, whatever order its lines came here in."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from billing.enums import CreditKind
from billing.models import BankTransfer, CreditEntry, PaymentAllocation, PaymentOrder

# When the bank had a line, its key, how the bank calls it, and how much of it counts.
_Line = tuple[datetime, UUID, str, int]


def paid_by(order: PaymentOrder) -> tuple[datetime, str] | None:
    """The time and the reference of the bank line that completed an order; None without lines.

    By the lines' own amounts, in the order that the bank had them. Credit counts as there from the
    beginning.
    """
    return _completed(order, _paying(order))


def paid_first_by(order: PaymentOrder) -> tuple[datetime, str] | None:
    """As `paid_by`, with the lines too that came for it when it was paid and are credit now.

    None for an order that no bank line pays: credit did, or another program took the money.
    """
    paying = _paying(order)
    if not paying:
        return None
    kept = CreditEntry.objects.filter(order=order, kind=CreditKind.EXCESS)
    lines = BankTransfer.objects.filter(pk__in=kept.values("transfer_id"))
    others = lines.exclude(pk__in=[key for _moment, key, _called, _share in paying])
    return _completed(order, [*paying, *(_line(line, line.amount) for line in others)])


def _completed(order: PaymentOrder, lines: Iterable[_Line]) -> tuple[datetime, str] | None:
    needed = order.amount - max(order.credit_offered, _credit_used(order))
    found = None
    total = 0
    for moment, _key, called, share in sorted(lines):
        found = moment, called[:100]
        total += share
        if total >= needed:
            break
    return found


def _paying(order: PaymentOrder) -> list[_Line]:
    """The bank lines that an order's allocations are of; one for several counts with its share."""
    rows = PaymentAllocation.objects.filter(order=order, transfer__isnull=False, amount__gt=0)
    found = {}
    for row in rows.select_related("transfer"):
        assert row.transfer is not None  # noqa: S101 - the filter's
        alone = row.amount == row.transfer.allocated_amount
        found[row.transfer.pk] = _line(row.transfer, row.transfer.amount if alone else row.amount)
    return list(found.values())


def _line(line: BankTransfer, share: int) -> _Line:
    return line.transferred_at, line.pk, line.reference or line.provider_id, share


def _credit_used(order: PaymentOrder) -> int:
    by_credit = PaymentAllocation.objects.filter(order=order, credit_entry__isnull=False)
    return sum(by_credit.values_list("amount", flat=True))
