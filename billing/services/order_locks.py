"""Orders are locked together with the bank lines that pay them, in settlement's order of locks."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from billing.models import BankTransfer, PaymentAllocation, PaymentOrder


class _MoneyCameError(Exception):
    """A bank line was booked on an order before the order was locked."""


def lock_with_lines(orders: QuerySet[PaymentOrder]) -> list[PaymentOrder]:
    """Locks orders and the bank lines that pay them, the lines first; returns the orders by id.

    Where money comes in between, all is let go and tried again: a line is never locked after its
    order.
    """
    while True:
        with suppress(_MoneyCameError), transaction.atomic():
            locked = _lock_lines(_lines_of(list(orders.values_list("pk", flat=True))))
            rows = orders.select_for_update(of=("self",), no_key=True)
            found = list(rows.order_by("pk"))
            if _lines_of([order.pk for order in found]) <= locked:
                return found
            raise _MoneyCameError


def _lines_of(orders: Sequence[UUID]) -> set[UUID]:
    paying = PaymentAllocation.objects.filter(order_id__in=orders, transfer__isnull=False)
    return {key for key in paying.values_list("transfer_id", flat=True) if key}


def _lock_lines(keys: set[UUID]) -> set[UUID]:
    rows = BankTransfer.objects.select_for_update(of=("self",), no_key=True)
    list(rows.filter(pk__in=keys).order_by("pk").values_list("pk", flat=True))
    return keys
