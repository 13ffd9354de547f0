"""Receipts of what schools paid KiteHub; the database numbers them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from random import Random
from uuid import UUID

from billing.enums import PaymentStatus, ReceiptKind
from billing.models import PaymentAllocation, Receipt, SubscriptionPeriod
from billing.receipts.content import Party, Payment, ReceiptContent
from billing.services.receipts import ISSUER, issuer
from kitehub.demo.books import Books
from kitehub.demo.chance import random_id
from kitehub.demo.subscriptions import Life
from kitehub.enums import Tier


def receipts(
    lives: Sequence[Life], periods: Iterable[SubscriptionPeriod], books: Books, rng: Random
) -> list[Receipt]:
    """A receipt for each paid order of a school's own, in the order of their payment."""
    bought = {period.order_id: period for period in periods}
    paying: dict[UUID, list[PaymentAllocation]] = defaultdict(list)
    for _moment, entry in books.entries:
        if isinstance(entry, PaymentAllocation):
            paying[entry.order_id].append(entry)
    own = issuer()
    made = []
    for life in lives:
        school = Party(life.school.name, (life.owner.full_name, life.owner.email))
        for order in life.orders:
            if order.status != PaymentStatus.PAID:
                continue
            period = bought[order.pk]
            content = ReceiptContent(
                number="",
                issued_at=order.updated_at,
                issuer=own,
                payer=school,
                order_code=order.order_id,
                amount=order.amount,
                tier=Tier(order.tier) if order.tier else None,
                period_start=period.starts_at,
                period_end=period.ends_at,
                payments=tuple(map(_payment, paying[order.pk])),
            )
            made.append(
                Receipt(
                    id=random_id(rng),
                    kind=ReceiptKind.RECEIPT,
                    order=order,
                    instance_id=order.instance_id,
                    amount=order.amount,
                    content=content.to_json(),
                    year=order.updated_at.year,
                    number=0,  # both are the trigger's
                    issued_at=order.updated_at,
                    created_at=order.updated_at,
                    created_by=ISSUER,
                )
            )
    return sorted(made, key=lambda receipt: (receipt.issued_at, str(receipt.pk)))


def _payment(entry: PaymentAllocation) -> Payment:
    row = entry.transfer
    if row is None:
        return Payment(entry.amount)
    return Payment(entry.amount, row.bank, row.reference, row.transferred_at)
