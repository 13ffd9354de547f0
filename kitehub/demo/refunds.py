"""Refunds in every state: one person of staff asked, another decided."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from billing.banks import bank
from billing.enums import (
    CreditKind,
    RefundSource,
    RefundStatus,
    TransferState,
    UnmatchedReason,
)
from billing.models import BankTransfer, CreditEntry, PaymentAllocation, Refund
from kitehub.demo.banks import BANKS, reference
from kitehub.demo.books import Books
from kitehub.demo.chance import random_id
from kitehub.demo.people import STAFF

ASKED, DECIDED = STAFF[0][1], STAFF[1][1]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Decided:
    """A refund as it was asked for, what is changed in its row later, and what that booked."""

    refund: Refund
    changes: tuple[dict[str, Any], ...] = ()
    entry: PaymentAllocation | None = None


def refunds(books: Books, *, at: datetime) -> list[Decided]:
    """A refund that waits, one to be sent, one that is sent, and one that was rejected."""
    found = [*_waiting_and_sent(books, at=at)]
    stranger = next(row for row in books.lines if row.reason == UnmatchedReason.UNKNOWN_ORDER)
    found.append(_of_a_stranger(books, stranger, at=at))
    excess = [
        entry
        for _moment, entry in books.entries
        if isinstance(entry, CreditEntry)
        and entry.kind == CreditKind.EXCESS
        and books.balance(entry.instance_id) >= entry.amount
    ]
    if excess:
        found.append(_rejected(books, excess[-1]))
    return found


def _waiting_and_sent(books: Books, *, at: datetime) -> Iterator[Decided]:
    """Parts of two paid orders of schools' own: both keep their period and their receipt."""
    of_orders = [
        entry
        for _moment, entry in books.entries
        if isinstance(entry, PaymentAllocation)
        and entry.transfer is not None
        and entry.transfer.instance_id is None
        and entry.amount == entry.order.amount
        and entry.created_at < at - 10 * _DAY
    ]
    *_, sent, asked = of_orders
    columns = {"source": RefundSource.ORDER, "order": asked.order}
    yield Decided(
        _asked(books, asked.transfer, 90_000, "Trường không dùng phần tin nhắn", at - _DAY, columns)
    )
    columns = {"source": RefundSource.ORDER, "order": sent.order}
    why = "Giảm giá đã hứa mà đơn chưa trừ"
    refund = _asked(books, sent.transfer, 60_000, why, at - 9 * _DAY, columns)
    entry = PaymentAllocation(
        id=random_id(books.rng),
        transfer=sent.transfer,
        order=sent.order,
        amount=-refund.amount,
        reverses=sent,
        refund=refund,
        created_at=at - 8 * _DAY,
        created_by=DECIDED,
        reason=why,
    )
    moment = at - 7 * _DAY
    sending = {
        "status": RefundStatus.SENT,
        "sent_by": ASKED,
        "sent_at": moment,
        "sent_reference": reference(moment, books.rng),
    }
    yield Decided(refund, (_decision(RefundStatus.APPROVED, at - 8 * _DAY), sending), entry)


def _of_a_stranger(books: Books, row: BankTransfer, *, at: datetime) -> Decided:
    """A line that is nobody's goes back whole, so it waits no longer."""
    why = "Người gửi báo chuyển nhầm"
    columns = {"source": RefundSource.TRANSFER, "transfer": row}
    refund = _asked(books, row, row.amount, why, at - 2 * _DAY, columns)
    row.state, row.settled_at = TransferState.MATCHED, at - _DAY
    return Decided(refund, (_decision(RefundStatus.APPROVED, at - _DAY, "Đã gọi xác nhận"),))


def _rejected(books: Books, entry: CreditEntry) -> Decided:
    columns = {"source": RefundSource.CREDIT, "instance_id": entry.instance_id}
    moment = entry.created_at + timedelta(hours=5)
    refund = _asked(books, entry.transfer, 50_000, "Trường xin rút tiền dư", moment, columns)
    why = "Trường đồng ý để trừ vào kỳ sau"
    return Decided(refund, (_decision(RefundStatus.REJECTED, moment + timedelta(hours=3), why),))


def _asked(
    books: Books,
    row: BankTransfer | None,
    amount: int,
    reason: str,
    moment: datetime,
    columns: dict[str, Any],
) -> Refund:
    """A request to send money back to where a line came from."""
    assert row is not None  # noqa: S101 - the callers'
    order = columns.get("order")
    bins = {known.short_name: each.bin for each in BANKS if (known := bank(each.bin))}
    return Refund(
        id=random_id(books.rng),
        amount=amount,
        reason=reason,
        status=RefundStatus.REQUESTED,
        payee_bank_bin=bins[row.counterparty_bank],
        payee_account=row.counterparty_account,
        payee_name=row.counterparty_name,
        requested_by=ASKED,
        requested_at=moment,
        **({"instance_id": order.instance_id} if order else {}),
        **columns,
    )


def _decision(status: RefundStatus, moment: datetime, why: str = "") -> dict[str, Any]:
    return {"status": status, "decided_by": DECIDED, "decided_at": moment, "decision": why}
