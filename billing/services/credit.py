"""Credit: money, or goodwill, that an instance has with KiteHub and may use for its orders."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Sum

from billing.enums import CreditKind
from billing.models import BankTransfer, CreditBalance, CreditEntry, PaymentOrder, Refund
from kitehub.db.acting import acting


class NotEnoughCredit(Exception):
    """More credit was to be used than there is; nothing was booked. Both in đồng."""

    def __init__(self, *, asked: int, balance: int) -> None:
        super().__init__(f"{asked} đồng of credit were asked for, and there are {balance}.")
        self.asked = asked
        self.balance = balance


def balance(*, instance_id: UUID) -> int:
    """The credit of an instance at this moment, in đồng; 0 for one that never had any."""
    found = CreditBalance.objects.filter(instance_id=instance_id).first()
    return found.balance if found else 0


def lock_balance(*, instance_id: UUID) -> int:
    """The credit of an instance, which nobody else changes until the transaction ends.

    Bank lines and orders are locked before it, never after.
    """
    rows = CreditBalance.objects.select_for_update(of=("self",), no_key=True)
    found = rows.filter(instance_id=instance_id).first()
    return found.balance if found else 0


@transaction.atomic
def grant(
    *,
    instance_id: UUID,
    amount: int,
    reason: str,
    actor: str,
    at: datetime,
    key: UUID | None = None,
) -> CreditEntry:
    """Gives an instance goodwill, in đồng. It pays orders, and is never paid out.

    Who names the entry's `key` can't give it twice. Raises ValueError for an amount that is not
    above 0 and for a missing reason, and IntegrityError for a key that is taken.
    """
    if not reason.strip():
        raise ValueError("reason is empty, and goodwill has one.")
    return add(
        instance_id=instance_id,
        amount=amount,
        kind=CreditKind.GRANTED,
        actor=actor,
        reason=reason,
        at=at,
        key=key,
    )


@transaction.atomic
def add(
    *,
    instance_id: UUID,
    amount: int,
    kind: CreditKind,
    actor: str,
    at: datetime,
    key: UUID | None = None,
    transfer: BankTransfer | None = None,
    order: PaymentOrder | None = None,
    refund: Refund | None = None,
    reason: str = "",
) -> CreditEntry:
    """Adds to an instance's credit, in đồng; with a transfer, out of that bank line.

    Raises ValueError for an amount that is not above 0, and IntegrityError where the bank line
    has less left or the entry's `key` is taken.
    """
    if amount <= 0:
        raise ValueError(f"amount is {amount}, and must be above 0.")
    entry = CreditEntry(
        instance_id=instance_id,
        amount=amount,
        kind=kind,
        transfer=transfer,
        order=order,
        refund=refund,
    )
    if key is not None:
        entry.pk = key
    return _book(entry, actor=actor, reason=reason, at=at)


@transaction.atomic
def spend(
    *,
    instance_id: UUID,
    amount: int,
    actor: str,
    at: datetime,
    kind: CreditKind = CreditKind.SPENT,
    transfer: BankTransfer | None = None,
    order: PaymentOrder | None = None,
    refund: Refund | None = None,
    reason: str = "",
) -> CreditEntry:
    """Takes from an instance's credit, in đồng; with a transfer, back to that bank line.

    The entry's amount is negative. Raises ValueError for an amount that is not above 0, and
    NotEnoughCredit.
    """
    if amount <= 0:
        raise ValueError(f"amount is {amount}, and must be above 0.")
    there = lock_balance(instance_id=instance_id)
    if there < amount:
        raise NotEnoughCredit(asked=amount, balance=there)
    entry = CreditEntry(
        instance_id=instance_id,
        amount=-amount,
        kind=kind,
        transfer=transfer,
        order=order,
        refund=refund,
    )
    return _book(entry, actor=actor, reason=reason, at=at)


def held_by_transfers(*, instance_id: UUID) -> dict[UUID, int]:
    """How much credit of an instance each bank line still stands for, in đồng, the newest first.

    That is money, of which orders may have used some (see `money_left`): credit is used oldest
    first, so what is left stands for the newest lines.
    """
    rows = (
        CreditEntry.objects.filter(instance_id=instance_id, transfer__isnull=False)
        .values("transfer_id", "transfer__transferred_at")
        .annotate(held=Sum("amount"))
        .filter(held__gt=0)
        .order_by("-transfer__transferred_at", "-transfer_id")
    )
    return {row["transfer_id"]: row["held"] for row in rows}


def excess_of(*, order: PaymentOrder) -> int:
    """How many đồng came for an order beyond what it asked for, and became credit.

    Without what a person has taken back since: all that a line was kept as credit.
    """
    undone = CreditEntry.objects.filter(
        kind=CreditKind.UNDONE,
        transfer=OuterRef("transfer"),
        instance=OuterRef("instance"),
    )
    kept = CreditEntry.objects.filter(~Exists(undone), order=order, kind=CreditKind.EXCESS)
    return kept.aggregate(sum=Sum("amount"))["sum"] or 0


def money_left(*, instance_id: UUID) -> int:
    """How much of an instance's credit is money that came by bank, in đồng; the rest is goodwill.

    An order uses what goodwill there is at that moment, then money. Goodwill that is given later
    doesn't turn what was used into money again; an order that is undone gives back what it used.
    """
    entries = CreditEntry.objects.filter(instance_id=instance_id)
    return max(sum_of_money(entries), 0)


def sum_of_money(entries: QuerySet[CreditEntry]) -> int:
    """What is left of the money among an instance's entries; below 0, more went than came."""
    money = goodwill = 0
    used: defaultdict[UUID | None, int] = defaultdict(int)
    columns = ("amount", "kind", "transfer_id", "order_id")
    for entry in entries.order_by("created_at", "-amount").only(*columns):
        amount = entry.amount
        if entry.transfer_id is not None:
            money += amount
        elif entry.kind == CreditKind.GRANTED:
            goodwill += amount
        else:
            part = min(amount, used[entry.order_id]) if amount > 0 else min(goodwill + amount, 0)
            money += part
            goodwill += amount - part
            used[entry.order_id] -= part
    return money


def _book(entry: CreditEntry, *, actor: str, reason: str, at: datetime) -> CreditEntry:
    entry.created_at = at
    # The database's trigger writes it over.
    entry.balance_after = 0
    with acting(actor, reason):
        entry.save(force_insert=True)
    entry.refresh_from_db(fields=["balance_after", "created_by", "reason"])
    return entry
