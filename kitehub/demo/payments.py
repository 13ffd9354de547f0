"""Payments: the bank lines that paid the orders, some in parts, too much, or with credit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from billing.accounts import Account
from billing.enums import PaymentStatus, PaymentType, TransferState, UnmatchedReason
from billing.models import BankTransfer, PaymentOrder
from billing.services.settlement import ACTOR
from kitehub.demo.bank_lines import Payer, conclude, line, parent, payer
from kitehub.demo.books import Books
from kitehub.demo.chance import stream
from kitehub.demo.memos import garbled
from kitehub.demo.moments import VIETNAM
from kitehub.demo.people import AUTOMATIC
from kitehub.demo.subscriptions import Life

# Every so many paid subscription orders one is paid too much: people round up.
ROUNDED_UP = 11
ROUND = 100_000
BY_HAND = "Khớp theo số tiền và tên trường"


def pay_subscriptions(life: Life, books: Books, *, place: int, seed: int) -> None:
    """The lines of a school's own orders; what is too much is offered on the next one."""
    rng = stream(seed, f"payments/{life.school.subdomain}")
    by = payer(life.owner.full_name, rng)
    paid = [order for order in life.orders if order.status == PaymentStatus.PAID]
    for order in sorted(life.orders, key=lambda each: each.created_at):
        order.credit_offered = min(books.balance(order.instance_id), order.amount - 1)
        if order.status == PaymentStatus.PAID:
            last = order is paid[-1]
            generous = (place + paid.index(order)) % ROUNDED_UP == 4 and not last
            # One keeps its credit to the end, for staff to see some.
            generous = generous or (last and place == 0)
            _pay_subscription(order, books, by, rounded_up=generous, rng=rng)


def _pay_subscription(
    order: PaymentOrder, books: Books, by: Payer, *, rounded_up: bool, rng: Random
) -> None:
    assert order.paid_at is not None  # noqa: S101 - the caller's
    asked = order.amount - order.credit_offered
    amount = -(-asked // ROUND) * ROUND + ROUND if rounded_up else asked
    staff = order.updated_by if order.updated_by not in (AUTOMATIC, None) else None
    memo = _memo(order, by, rng)
    if staff:
        memo = f"{by.name} gia han KiteHub thang {order.paid_at.astimezone(VIETNAM):%m}"
    row = _line(order, amount, memo, by, order.paid_at, rng, told_as=order.transaction_reference)
    books.lines.append(row)
    moment = order.updated_at
    reason = BY_HAND if staff else ""
    books.allocate(row, order, asked, moment=moment, by=staff or ACTOR, reason=reason)
    if order.credit_offered:
        books.spend(order, moment=moment)
    if amount > asked:
        books.keep(row, order, amount - asked, moment=moment)


def pay_enrollments(fees: Sequence[PaymentOrder], books: Books, *, at: datetime) -> None:
    """The lines of course fees, on the schools' own accounts."""
    rng = books.rng
    paid = [order for order in fees if order.status == PaymentStatus.PAID]
    for place, order in enumerate(paid):
        assert order.paid_at is not None  # noqa: S101 - a paid one has it
        by = parent(order.student_name or "", rng)
        if place % 19 == 7:
            _pay_in_two(order, books, by)
            continue
        # The school has to pay it back itself, so somebody has to look at it.
        excess = ROUND if place and place == len(paid) - 3 else 0
        memo = _memo(order, by, rng)
        reference = order.transaction_reference
        row = _line(order, order.amount + excess, memo, by, order.paid_at, rng, told_as=reference)
        books.lines.append(row)
        books.allocate(row, order, order.amount, moment=order.updated_at)
        if excess:
            conclude(row, TransferState.UNMATCHED, order.updated_at)
            row.reason = UnmatchedReason.OVERPAID
    _pay_in_part(fees, books, at=at)


def _pay_in_two(order: PaymentOrder, books: Books, by: Payer) -> None:
    """A deposit first, and the rest: as half of all parents would, had the QR no amount."""
    assert order.paid_at is not None  # noqa: S101 - the caller's
    rng = books.rng
    deposit = order.amount // 2
    between = order.created_at + (order.paid_at - order.created_at) / 2
    for amount, moment in ((deposit, between), (order.amount - deposit, order.paid_at)):
        last = moment == order.paid_at
        reference = order.transaction_reference if last else ""
        moment = moment.replace(microsecond=0)
        row = _line(order, amount, _memo(order, by, rng), by, moment, rng, told_as=reference)
        books.lines.append(row)
        settled = order.updated_at if last else moment + timedelta(seconds=5)
        books.allocate(row, order, amount, moment=settled)


def _pay_in_part(fees: Sequence[PaymentOrder], books: Books, *, at: datetime) -> None:
    """Orders of which a part has come: some are open still, some have expired over it."""
    for status, most in ((PaymentStatus.EXPIRED, 2), (PaymentStatus.PENDING, 1)):
        old = (fee for fee in fees if at - fee.created_at > timedelta(hours=2))
        found = [fee for fee in old if fee.status == status]
        for order in found[-most:]:
            pay_part(order, books, parent(order.student_name or "", books.rng), at=at)


def pay_part(order: PaymentOrder, books: Books, by: Payer, *, at: datetime) -> None:
    """A line for a third of an order that stays as it is."""
    rng = books.rng
    moment = order.created_at + timedelta(minutes=rng.randint(20, 90))
    amount = order.amount // 3 // 1000 * 1000
    row = _line(order, amount, _memo(order, by, rng), by, moment, rng)
    books.lines.append(row)
    settled = moment + timedelta(seconds=6)
    order.updated_at = max(order.updated_at, settled)
    books.allocate(row, order, amount, moment=settled)


def _memo(order: PaymentOrder, by: Payer, rng: Random) -> str:
    memo = order.memo or order.order_id
    return garbled(memo, order.order_id, name=by.name, account=by.account, rng=rng)


def _line(
    order: PaymentOrder,
    amount: int,
    memo: str,
    by: Payer,
    moment: datetime,
    rng: Random,
    told_as: str | None = None,
) -> BankTransfer:
    return line(
        account=account_of(order),
        instance_id=None if order.type == PaymentType.SUBSCRIPTION else order.instance_id,
        amount=amount,
        memo=memo,
        by=by,
        moment=moment,
        rng=rng,
        told_as=told_as or "",
    )


def account_of(order: PaymentOrder) -> Account:
    """Where an order is paid."""
    return Account(order.bank_bin or "", order.account_number or "", order.account_name or "")
