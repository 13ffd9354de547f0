"""What a bank line is for: read from the codes in its texts, its account and its amount."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from billing.enums import PAYABLE, PaymentStatus, UnmatchedReason
from billing.matching import order_codes_in
from billing.models import BankTransfer, PaymentOrder
from billing.plain_text import fold
from billing.services.paying_accounts import is_closed, is_paid_to
from billing.twins import SHIFT
from kitehub.db import rows

# Codes of orders that other programs opened: words of the memo, as they stand there.
_LEGACY_LENGTHS = range(6, 51)
_LEGACY_WORDS = 40


@dataclass(slots=True)
class Reading:
    """What a bank line says it is for: orders to pay, each with its đồng, or why there are none."""

    parts: list[tuple[PaymentOrder, int]] = field(default_factory=list)
    reason: UnmatchedReason | None = None
    # An order that is paid already, whose instance keeps the money as credit.
    paid: PaymentOrder | None = None


def read(transfer: BankTransfer) -> Reading:
    """What a bank line is for, by the codes in its texts, its account and its amount.

    Locks the orders that it finds.
    """
    codes = order_codes_in(_texts(transfer)) or _codes_told_again(transfer)
    orders = _orders(codes) or _orders(_legacy_words(transfer))
    if not orders:
        reason = UnmatchedReason.UNKNOWN_ORDER if codes else UnmatchedReason.NO_CODE
        return Reading(reason=reason)
    here = [order for order in orders if is_paid_to(order, transfer)]
    if not here:
        return Reading(reason=UnmatchedReason.WRONG_ACCOUNT)
    here = [order for order in here if not is_closed(order)]
    if not here:
        return Reading(reason=UnmatchedReason.CLOSED)
    if _entered_by_hand(transfer, here):
        return Reading(reason=UnmatchedReason.BY_HAND)
    payable = [order for order in here if order.status in PAYABLE]
    if payable:
        return _fitting(payable, transfer)
    paid = [order for order in here if order.status == PaymentStatus.PAID]
    if not paid:
        return Reading(reason=UnmatchedReason.CANCELLED_ORDER)
    if len({order.instance_id for order in paid}) > 1:
        return Reading(reason=UnmatchedReason.AMBIGUOUS)
    # What another program was paid is no allocation: this may well be the same money.
    ours = paid[0].paid_amount + paid[0].refunded_amount > 0
    return Reading(reason=UnmatchedReason.ALREADY_PAID, paid=paid[0] if ours else None)


def _entered_by_hand(transfer: BankTransfer, orders: Sequence[PaymentOrder]) -> bool:
    """Whether a person has entered as much for one of the orders, on the same days.

    What a person copies off a photo often lacks what tells twins, so this may be the same money; so
    may cash that was carried to the bank. A payment by hand that this source has told already is
    another one.
    """
    booked = [order for order in orders if order.paid_amount or order.refunded_amount]
    if not booked:
        return False
    by_hand = BankTransfer.objects.by_hand_like(transfer)
    return by_hand.filter(allocations__order__in=booked).exists()


def _around(transfer: BankTransfer) -> tuple[datetime, datetime]:
    return transfer.transferred_at - SHIFT, transfer.transferred_at + SHIFT


def _texts(transfer: BankTransfer) -> tuple[str, ...]:
    return (transfer.memo, *transfer.details.splitlines(), transfer.details)


def _codes_told_again(transfer: BankTransfer) -> list[str]:
    """The codes in what other sources said of the same line: some leave the memo out."""
    again = BankTransfer.objects.filter(
        duplicate_of=transfer,
        account_number=transfer.account_number,
        amount=transfer.amount,
        transferred_at__range=_around(transfer),
    )
    return order_codes_in(text for row in again.order_by("pk") for text in _texts(row))


def _orders(codes: Sequence[str]) -> list[PaymentOrder]:
    """The orders of codes, locked by id, the surest first."""
    if not codes:
        return []
    if len(codes) == 1:
        # The usual case has a plan of its own, which PostgreSQL keeps.
        one = "WHERE order_id = %s AND NOT deleted FOR NO KEY UPDATE"
        return rows.read(PaymentOrder, one, codes)
    found = rows.read(
        PaymentOrder,
        "WHERE order_id = ANY (%s) AND NOT deleted ORDER BY id FOR NO KEY UPDATE",
        [list(codes)],
    )
    rank = {code: place for place, code in enumerate(codes)}
    return sorted(found, key=lambda order: rank[order.order_id])


def _legacy_words(transfer: BankTransfer) -> list[str]:
    """Words that may be the code of an order that another program opened, as a code has a digit."""
    words = f"{transfer.memo} {transfer.details}".split()
    spelled = {
        form
        for word in words[:_LEGACY_WORDS]
        for form in (word.strip(".,;:"), fold(word))
        if len(form) in _LEGACY_LENGTHS and any(c.isdigit() for c in form)
    }
    return sorted(spelled)


def _fitting(payable: list[PaymentOrder], transfer: BankTransfer) -> Reading:
    """Of one order, all of it; of several, only where their sums fit or one alone does."""
    amount = transfer.unmatched
    if len(payable) == 1:
        order = payable[0]
        return Reading(parts=[(order, min(order.rest, amount))])
    for asked in (_rest, _asked):
        if sum(map(asked, payable)) == amount:
            return Reading(parts=[(order, asked(order)) for order in payable])
    exact = [order for order in payable if amount in (_rest(order), _asked(order))]
    if len(exact) == 1:
        return Reading(parts=[(exact[0], amount)])
    return Reading(reason=UnmatchedReason.AMBIGUOUS)


def _rest(order: PaymentOrder) -> int:
    return order.rest


def _asked(order: PaymentOrder) -> int:
    """What the QR code says: credit that was offered completes the order."""
    return order.rest - order.credit_offered
