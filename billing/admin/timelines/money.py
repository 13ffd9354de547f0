"""Events of bank lines and of what was booked from them: allocations, credit, refunds, receipts."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext

from billing.admin.stored_words import actor_words, reason_words
from billing.enums import (
    GoodwillStatus,
    ReceiptKind,
    RefundStatus,
    TransferDirection,
    TransferState,
)
from billing.models import (
    BankTransfer,
    CreditEntry,
    Goodwill,
    PaymentAllocation,
    PaymentOrder,
    Receipt,
    Refund,
)
from kitehub.backoffice.references import To
from kitehub.backoffice.timeline import ASKED, BEGUN, FOLLOWED, TOLD, Event
from kitehub.display import money


def transfer_events(lines: Iterable[BankTransfer]) -> list[Event]:
    """What the bank says happened, who told of it, and what was made of it."""
    return [event for line in lines for event in _line(line)]


def _line(line: BankTransfer) -> list[Event]:
    to = To(BankTransfer, line.pk)
    sum_ = {"amount": money(line.amount), "who": line.counterparty_name}
    incoming = line.direction == TransferDirection.IN
    if line.counterparty_name and incoming:
        what = gettext("%(amount)s transferred by %(who)s")
    else:
        what = gettext("%(amount)s transferred") if incoming else gettext("%(amount)s sent")
    told = {"by": line.get_provider_display()}
    found = [
        Event(
            at=line.transferred_at,
            what=what % sum_,
            key=f"line:{line.pk}:bank",
            icon="account_balance",
            rank=BEGUN,
            more=line.memo[:300],
            to=to,
        ),
        Event(
            at=line.received_at,
            what=gettext("Told by %(by)s") % told,
            key=f"line:{line.pk}:told",
            icon="webhook",
            rank=TOLD,
            more=gettext("The same as another bank line.")
            if line.state == TransferState.DUPLICATE
            else "",
            to=to,
        ),
    ]
    if line.settled_at:
        why = line.get_reason_display() if line.reason else ""
        found.append(
            Event(
                at=line.settled_at,
                what=gettext("Bank transfer: %(state)s") % {"state": line.get_state_display()},
                key=f"line:{line.pk}:settled",
                icon="rule",
                rank=FOLLOWED,
                why=str(why or ""),
                more=line.note,
                to=to,
            )
        )
    return found


def allocation_events(
    allocations: QuerySet[PaymentAllocation], *, here: type[Model]
) -> list[Event]:
    """What was booked for orders, and taken back; linked to the other end, seen from `here`."""
    rows = allocations.select_related("order").order_by("-created_at", "-id")
    return [
        Event(
            at=row.created_at,
            what=(
                gettext("%(amount)s booked for order %(order)s")
                if row.amount > 0
                else gettext("%(amount)s taken off order %(order)s")
            )
            % {"amount": money(abs(row.amount)), "order": row.order.order_id},
            key=f"allocation:{row.pk}",
            icon="link" if row.amount > 0 else "link_off",
            actor=actor_words(row.created_by),
            why=reason_words(row.reason),
            to=_other_end(row, here),
        )
        for row in rows[:ASKED]
    ]


def _other_end(row: PaymentAllocation, here: type[Model]) -> To:
    if here is not PaymentOrder:
        return To(PaymentOrder, row.order_id)
    if row.transfer_id is not None:
        return To(BankTransfer, row.transfer_id)
    return To(CreditEntry, row.credit_entry_id)


def credit_events(entries: QuerySet[CreditEntry]) -> list[Event]:
    """What an instance's credit got, and what was taken of it."""
    return [
        Event(
            at=row.created_at,
            what=gettext("Credit %(change)s: %(kind)s")
            % {
                "change": f"{'+' if row.amount > 0 else '−'}{money(abs(row.amount))}",
                "kind": row.get_kind_display(),
            },
            key=f"credit:{row.pk}",
            icon="savings",
            actor=actor_words(row.created_by),
            why=reason_words(row.reason),
            more=gettext("Credit after: %(balance)s") % {"balance": money(row.balance_after)},
            to=To(CreditEntry, row.pk),
        )
        for row in entries.order_by("-created_at", "-id")[:ASKED]
    ]


def refund_events(refunds: QuerySet[Refund]) -> list[Event]:
    """How refunds were asked for, decided on and sent."""
    return [
        event
        for refund in refunds.order_by("-requested_at", "-id")[:ASKED]
        for event in _refund(refund)
    ]


def _refund(refund: Refund) -> list[Event]:
    sum_ = {"amount": money(refund.amount)}
    to = To(Refund, refund.pk)
    steps: list[tuple[Any, str, str, str | None, str, str]] = [
        (
            refund.requested_at,
            gettext("Refund of %(amount)s asked for"),
            "1",
            refund.requested_by,
            refund.reason,
            "",
        )
    ]
    if refund.decided_at:
        rejected = refund.status == RefundStatus.REJECTED
        what = (
            gettext("Refund of %(amount)s rejected")
            if rejected
            else gettext("Refund of %(amount)s approved")
        )
        steps.append((refund.decided_at, what, "2", refund.decided_by, refund.decision, ""))
    if refund.sent_at:
        reference = gettext("Bank reference: %(reference)s") % {"reference": refund.sent_reference}
        more = reference if refund.sent_reference else ""
        what = gettext("Refund of %(amount)s sent")
        steps.append((refund.sent_at, what, "3", refund.sent_by, "", more))
    return [
        Event(
            at=at,
            what=what % sum_,
            key=f"refund:{refund.pk}:{name}",
            icon="undo",
            actor=actor_words(actor),
            why=reason_words(why),
            more=more,
            to=to,
        )
        for at, what, name, actor, why, more in steps
    ]


def goodwill_events(rows: QuerySet[Goodwill]) -> list[Event]:
    """How goodwill was proposed and decided, or given by one person alone."""
    newest = rows.order_by("-proposed_at", "-id")[:ASKED]
    return [event for row in newest for event in _goodwill(row)]


def _goodwill(row: Goodwill) -> Iterable[Event]:
    decided = {
        GoodwillStatus.APPROVED.value: gettext("Goodwill approved: %(what)s"),
        GoodwillStatus.DECLINED.value: gettext("Goodwill declined: %(what)s"),
        GoodwillStatus.WITHDRAWN.value: gettext("Goodwill withdrawn: %(what)s"),
    }
    first = gettext("Goodwill proposed: %(what)s")
    if row.status == GoodwillStatus.GIVEN:
        first = gettext("Goodwill given by one person alone: %(what)s")
    steps: list[tuple[Any, str, str | None, str]] = [
        (row.proposed_at, first, row.proposed_by, row.reason)
    ]
    if row.decided_at:
        steps.append((row.decided_at, decided[row.status], row.decided_by, row.decision))
    for number, (at, what, actor, why) in enumerate(steps):
        yield Event(
            at=at,
            what=what % {"what": row},
            key=f"goodwill:{row.pk}:{number}",
            icon="redeem",
            # Before what it gave at the same moment.
            rank=TOLD,
            actor=actor_words(actor),
            why=why,
            to=To(Goodwill, row.pk),
        )


def receipt_events(receipts: QuerySet[Receipt]) -> list[Event]:
    """Which receipts were issued, and which made void."""
    first = receipts.filter(kind=ReceiptKind.RECEIPT).select_related("voided_by")
    found: list[Receipt] = []
    for row in first.order_by("-issued_at", "-id")[:ASKED]:
        void = getattr(row, "voided_by", None)
        found += [row] if void is None else [row, void]
    return [
        Event(
            at=row.issued_at,
            what=(
                gettext("Receipt %(number)s issued")
                if row.kind == ReceiptKind.RECEIPT
                else gettext("Receipt made void by %(number)s")
            )
            % {"number": row.code},
            key=f"receipt:{row.pk}",
            icon="receipt",
            rank=FOLLOWED,
            actor=actor_words(row.created_by),
            to=To(Receipt, row.pk),
        )
        for row in found
    ]


def twin_events(line: BankTransfer) -> list[Event]:
    """That others told of the same line too."""
    twins = BankTransfer.objects.filter(duplicate_of=line).order_by("-received_at", "-id")
    return [
        Event(
            at=twin.received_at,
            what=gettext("Told again by %(by)s") % {"by": twin.get_provider_display()},
            key=f"line:{twin.pk}:told",
            icon="content_copy",
            rank=TOLD,
            to=To(BankTransfer, twin.pk),
        )
        for twin in twins[:ASKED]
    ]
