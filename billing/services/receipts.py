"""Receipts: issued when an order is paid, numbered by the database, voided by a counter-entry."""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext, override

from billing.banks import bank
from billing.enums import PaymentStatus, PaymentType, ReceiptKind
from billing.models import PaymentAllocation, PaymentOrder, Receipt, SubscriptionPeriod
from billing.receipt_content import Party, Payment, ReceiptContent
from kitehub.db.acting import acting
from kitehub.enums import Tier

ISSUER = "receipts"


@transaction.atomic
def issue(*, order: PaymentOrder, at: datetime, actor: str = ISSUER) -> Receipt:
    """Issues the receipt of a paid order, in the transaction that books its payment.

    Where there is one already, that one. It says what is known at this moment: call it after the
    order's money is allocated and its period is there. Until the transaction ends nobody else
    gets a number, so this comes last in it. Raises ValueError for an order that isn't paid, and
    for one of a school's own customers: KiteHub received nothing there.
    """
    if order.type != PaymentType.SUBSCRIPTION or order.status != PaymentStatus.PAID:
        raise ValueError(f"{order.order_id} is {order.status} {order.type}, and has no receipt.")
    # Two that issue for the same order wait here for each other.
    PaymentOrder.all_objects.select_for_update(of=("self",), no_key=True).get(pk=order.pk)
    issued = Receipt.objects.filter(order=order, kind=ReceiptKind.RECEIPT).first()
    if issued is not None:
        return issued
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
    with acting(actor):
        receipt.save(force_insert=True)
    receipt.refresh_from_db(fields=["year", "number", "created_by"])
    return receipt


# --- What it says -------------------------------------------------------------------------------


def _content(order: PaymentOrder, *, at: datetime) -> ReceiptContent:
    period = SubscriptionPeriod.objects.filter(order=order, voided_at__isnull=True).first()
    return ReceiptContent(
        number="",
        issued_at=at,
        issuer=issuer(),
        payer=_payer(order),
        order_code=order.order_id,
        amount=order.amount,
        tier=Tier(order.tier) if order.tier else None,
        period_start=period.starts_at if period else None,
        period_end=period.ends_at if period else None,
        payments=_payments(order),
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


def _payer(order: PaymentOrder) -> Party:
    """The school, and the person who opened the order for it."""
    person = order.user
    names = [order.instance.organization_name] if order.instance else []
    if person is not None:
        names += [person.full_name, person.email]
    names = [name for name in dict.fromkeys(names) if name]
    return Party(name=names[0], details=tuple(names[1:])) if names else Party(name="–")


def _payments(order: PaymentOrder) -> tuple[Payment, ...]:
    """What paid the order by now, each bank line once, credit last."""
    allocations = (
        PaymentAllocation.objects.filter(order=order)
        .values(
            "transfer_id",
            "transfer__bank",
            "transfer__reference",
            "transfer__provider_id",
            "transfer__transferred_at",
        )
        .annotate(total=Sum("amount"))
        .filter(total__gt=0)
        .order_by("transfer__transferred_at", "transfer_id")
    )
    return tuple(
        Payment(
            amount=row["total"],
            bank=_bank(row["transfer__bank"] or ""),
            reference=row["transfer__reference"] or row["transfer__provider_id"] or "",
            received_at=row["transfer__transferred_at"],
        )
        for row in allocations
    )


def _bank(said: str) -> str:
    """A bank's name, where a provider told its BIN."""
    known = bank(said)
    return known.short_name if known else said
