"""Money as settlement books it, row by row: bank lines, what they pay for, credit."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from billing.enums import CreditKind, FeedProvider, PaymentStatus, TransferState
from billing.models import BankTransfer, PaymentAllocation, PaymentOrder
from billing.services import credit
from kitehub.models import Instance
from tests.factories.billing import PaymentOrderFactory

# Half past ten in Vietnam.
NOW = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
_IDS = count(1)


def line(amount: int, **fields: Any) -> BankTransfer:
    """A bank line that somebody sent from an account at Vietcombank."""
    said = {
        "provider": FeedProvider.SEPAY,
        "provider_id": f"line-{next(_IDS)}",
        "account_number": "19036789012345",
        "bank": "970436",
        "counterparty_account": "0071000123456",
        "counterparty_bank": "970436",
        "counterparty_name": "NGUYEN THI HOANG YEN",
        "reference": f"FT26{next(_IDS):08}",
        "transferred_at": NOW,
        "state": TransferState.UNMATCHED,
    }
    return BankTransfer.objects.create(amount=amount, **(said | fields))


def allocate(order: PaymentOrder, transfer: BankTransfer, amount: int) -> PaymentAllocation:
    return PaymentAllocation.objects.create(
        transfer=transfer, order=order, amount=amount, created_at=NOW
    )


def spend_on(order: PaymentOrder, amount: int) -> PaymentAllocation:
    """Pays a part of an order from its instance's credit."""
    entry = credit.spend(
        instance_id=order.instance_id, amount=amount, order=order, actor="settle", at=NOW
    )
    return PaymentAllocation.objects.create(
        credit_entry=entry, order=order, amount=amount, created_at=NOW
    )


def keep_as_credit(instance: Instance, transfer: BankTransfer, amount: int) -> None:
    credit.add(
        instance_id=instance.pk,
        amount=amount,
        kind=CreditKind.EXCESS,
        transfer=transfer,
        actor="settle",
        at=NOW,
    )


def paid(order: PaymentOrder) -> PaymentOrder:
    """The order, marked as paid."""
    order.refresh_from_db()
    order.status = PaymentStatus.PAID
    order.paid_at = NOW
    order.transaction_reference = "FT1"
    order.save()
    return order


def paid_order(amount: int = 599_000, *, by_credit: int = 0, **fields: Any) -> PaymentOrder:
    """An order that one bank line and perhaps credit have paid."""
    order = PaymentOrderFactory(amount=amount, **fields)
    if amount > by_credit:
        allocate(order, line(amount - by_credit), amount - by_credit)
    if by_credit:
        keep_as_credit(order.instance, line(by_credit), by_credit)
        spend_on(order, by_credit)
    return paid(order)
