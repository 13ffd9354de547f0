"""Receipts: issued when an order is paid, numbered by the database, voided by a counter-entry."""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext, override

from billing.banks import bank
from billing.enums import OrderPurpose, PaymentStatus, PaymentType, ReceiptKind
from billing.models import PaymentOrder, Receipt
from billing.receipts.content import Party, Payment, ReceiptContent
from billing.services import subscriptions
from kitehub.db import rows
from kitehub.enums import Tier

ISSUER = "receipts"
# What paid an order by now, each bank line once, credit last; with each, whose the order is.
_SAID = """
    SELECT school.organization_name, person.full_name, person.email,
        period.starts_at, period.ends_at,
        paid.amount, COALESCE(line.bank, ''),
        COALESCE(NULLIF(line.reference, ''), line.provider_id, ''), line.transferred_at
    FROM payment_orders own
    LEFT JOIN instances school ON school.id = own.instance_id
    LEFT JOIN kitehub_users person ON person.id = own.user_id
    LEFT JOIN subscription_periods period ON period.order_id = own.id AND period.voided_at IS NULL
    LEFT JOIN (
        SELECT order_id, transfer_id, sum(amount)::bigint AS amount
        FROM payment_allocations
        WHERE order_id = %(order)s
        GROUP BY order_id, transfer_id
        HAVING sum(amount) > 0
    ) paid ON paid.order_id = own.id
    LEFT JOIN bank_transfers line ON line.id = paid.transfer_id
    WHERE own.id = %(order)s
    ORDER BY line.transferred_at, line.id
"""


@transaction.atomic
def issue(*, order: PaymentOrder, at: datetime, actor: str = ISSUER) -> Receipt:
    """Issues the receipt of a paid order, in the transaction that books its payment.

    Where there is one already, that one. It says what is known at this moment: call it after the
    order's money is allocated and its period is there. Until the transaction ends nobody else
    gets a number, so this comes last in it. Raises ValueError for an order that isn't paid, and
    for one of a school's own customers: KiteHub received nothing there.
    """
    # Two that issue for the same order wait here for each other.
    PaymentOrder.all_objects.select_for_update(of=("self",), no_key=True).get(pk=order.pk)
    issued = Receipt.objects.filter(order=order, kind=ReceiptKind.RECEIPT).first()
    if issued is not None:
        return issued
    return issue_first(order=order, at=at, actor=actor)


def issue_first(*, order: PaymentOrder, at: datetime, actor: str = ISSUER) -> Receipt:
    """Issues the receipt of an order that became PAID in this transaction; see `issue`.

    Nobody can have issued one before.
    """
    if order.type != PaymentType.SUBSCRIPTION or order.status != PaymentStatus.PAID:
        raise ValueError(f"{order.order_id} is {order.status} {order.type}, and has no receipt.")
    receipt = Receipt(
        kind=ReceiptKind.RECEIPT,
        order=order,
        instance_id=order.instance_id,
        amount=order.amount,
        content=_content(order, at=at).to_json(),
        issued_at=at,
    )
    return _numbered(receipt, actor=actor)


@transaction.atomic
def void(*, receipt: Receipt, reason: str, actor: str, at: datetime) -> Receipt:
    """Makes a receipt void by one of its own that refers to it; the first stays as it is.

    Where it is void already, the receipt that made it so. Raises ValueError for one that is itself
    a counter-entry, and for a missing reason.
    """
    if receipt.kind != ReceiptKind.RECEIPT:
        raise ValueError(f"{receipt} is no receipt that can be made void.")
    if not reason.strip():
        raise ValueError("reason is empty, and a void has one.")
    PaymentOrder.all_objects.select_for_update(of=("self",), no_key=True).get(pk=receipt.order_id)
    if done := Receipt.objects.filter(voids=receipt).first():
        return done
    content = replace(receipt.printed, voids=receipt.code, reason=reason)
    counter = Receipt(
        kind=ReceiptKind.VOID,
        order_id=receipt.order_id,
        instance_id=receipt.instance_id,
        voids=receipt,
        amount=-receipt.amount,
        content=content.to_json(),
        issued_at=at,
    )
    return _numbered(counter, actor=actor)


def void_receipt_of(
    *, order: PaymentOrder, reason: str, actor: str, at: datetime
) -> Receipt | None:
    """Makes the receipt of an order void; None for an order that never had one."""
    receipt = Receipt.objects.filter(order=order, kind=ReceiptKind.RECEIPT).first()
    return void(receipt=receipt, reason=reason, actor=actor, at=at) if receipt else None


def _numbered(receipt: Receipt, *, actor: str) -> Receipt:
    # The database's trigger writes both over.
    receipt.year = receipt.issued_at.year
    receipt.number = 0
    receipt.created_by = actor
    rows.insert(receipt, kept=["year", "number"])
    return receipt


# --- What it says -------------------------------------------------------------------------------


def _content(order: PaymentOrder, *, at: datetime) -> ReceiptContent:
    said = rows.fetch(_SAID, {"order": order.pk})
    school, full_name, email, starts_at, ends_at = said[0][:5]
    upgrade = order.purpose == OrderPurpose.UPGRADE
    if upgrade:
        ends_at = subscriptions.raised_until(order=order) or ends_at
    return ReceiptContent(
        number="",
        issued_at=at,
        issuer=issuer(),
        payer=_payer(school, full_name, email),
        order_code=order.order_id,
        amount=order.amount,
        tier=Tier(order.tier) if order.tier else None,
        period_start=starts_at,
        period_end=ends_at,
        payments=tuple(_payment(*row[5:]) for row in said if row[5] is not None),
        upgrade=upgrade,
    )


def issuer() -> Party:
    """KiteHub, as the settings name it."""
    with override("vi"):
        tax_code = gettext("Tax code: %(code)s") % {"code": settings.KITEHUB_SELLER_TAX_CODE}
    details = (
        settings.KITEHUB_SELLER_ADDRESS,
        tax_code if settings.KITEHUB_SELLER_TAX_CODE else "",
        settings.KITEHUB_SELLER_CONTACT,
    )
    return Party(name=settings.KITEHUB_SELLER_NAME, details=tuple(filter(None, details)))


def _payer(*names: str | None) -> Party:
    """The school, and the person who opened the order for it."""
    said = [name for name in dict.fromkeys(names) if name]
    return Party(name=said[0], details=tuple(said[1:])) if said else Party(name="–")


def _payment(amount: int, bank_told: str, reference: str, received_at: datetime | None) -> Payment:
    return Payment(
        amount=amount, bank=_bank(bank_told), reference=reference, received_at=received_at
    )


def _bank(said: str) -> str:
    """A bank's name, where a provider told its BIN."""
    known = bank(said)
    return known.short_name if known else said
