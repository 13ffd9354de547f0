"""The inbox: bank lines that nobody could match, each for a reason of its own, and what is none."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from billing.accounts import Account
from billing.enums import (
    FeedProvider,
    PaymentStatus,
    PaymentType,
    TransferDirection,
    TransferState,
    UnmatchedReason,
)
from billing.models import BankTransfer, PaymentOrder
from billing.order_codes import draw_code
from kitehub.demo.bank_lines import Payer, conclude, line, parent, payer
from kitehub.demo.books import Books
from kitehub.demo.memos import slipped
from kitehub.demo.orders import kitehub_account
from kitehub.demo.payments import account_of, pay_part
from kitehub.demo.people import STAFF
from kitehub.demo.schools import SAMPLE
from kitehub.demo.subscriptions import Life
from kitehub.demo.texts import capitals

_OPEN = PaymentStatus.PENDING
_PAYABLE = (PaymentStatus.PENDING, PaymentStatus.EXPIRED)


class Inbox:
    """Puts the lines into the books; what it finds no order for is left out."""

    def __init__(
        self, lives: Sequence[Life], fees: Sequence[PaymentOrder], books: Books, *, at: datetime
    ) -> None:
        self.books, self.rng, self.at = books, books.rng, at
        self.lives = {life.school.id: life for life in lives}
        self.fees = sorted(
            (fee for fee in fees if fee.deleted_at is None), key=lambda it: it.created_at
        )
        self.own = [
            order
            for life in lives
            if life.school != SAMPLE and not life.school.deleted
            for order in life.orders
        ]
        self._partly = {
            entry.order_id for _moment, entry in books.entries if entry.order_id is not None
        }

    def fill(self) -> None:
        """All of it: the lines of the inbox, and those that are left aside."""
        self._part_of_a_subscription()
        self._fees_without_code()
        self._subscriptions_without_code()
        self._codes_that_do_not_help()
        self._taken_off()
        self._aside()

    # --- Its lines ----------------------------------------------------------------------------

    def _fees_without_code(self) -> None:
        waiting = [*self._untouched(self.fees, _OPEN)]
        for order in waiting[:1]:
            child = capitals(order.student_name or "")
            self._wait(order, f"{child} nop hoc phi lop {order.course_id}", UnmatchedReason.NO_CODE)
        for order in waiting[1:3]:
            memo = f"{slipped(order.order_id, self.rng)} hoc phi"
            self._wait(order, memo, UnmatchedReason.NO_CODE)
        expired = next(self._untouched(reversed(self.fees), PaymentStatus.EXPIRED), None)
        if expired is not None:
            child = capitals(expired.student_name or "")
            moment = expired.created_at + timedelta(hours=30)
            self._wait(expired, f"me be {child} ck", UnmatchedReason.NO_CODE, moment=moment)

    def _subscriptions_without_code(self) -> None:
        for order in [*self._untouched(self.own, _OPEN)][:2]:
            life = self.lives[order.instance_id or SAMPLE.id]
            memo = f"{capitals(life.school.name)} gia han phan mem"
            self._wait(order, memo, UnmatchedReason.NO_CODE, by=self._owner(life))
        replaced = next((it for it in self.own if self._heir_waits(it)), None)
        if replaced is not None:
            life = self.lives[replaced.instance_id or SAMPLE.id]
            self._wait(
                replaced,
                replaced.order_id,
                UnmatchedReason.CANCELLED_ORDER,
                by=self._owner(life),
                moment=replaced.created_at + timedelta(minutes=40),
            )

    def _codes_that_do_not_help(self) -> None:
        paid = [fee for fee in self.fees if fee.status == PaymentStatus.PAID]
        days = timedelta(days=1)
        twice = paid[-9]
        self._wait(twice, twice.memo or "", UnmatchedReason.ALREADY_PAID, moment=twice.updated_at)
        wrong = next(self._untouched(reversed(self.fees), *_PAYABLE), None)
        if wrong is not None:
            self._wait(
                wrong,
                f"{wrong.memo} IBFT",
                UnmatchedReason.WRONG_ACCOUNT,
                account=kitehub_account(),
            )
        self._wait_alone(f"{draw_code(self.rng.choice)} gia han", 499_000, self.at - 3 * days)
        self._wait_alone(
            "chuc mung nam hoc moi",
            2_000_000,
            self.at - 6 * days,
            account=Account("970436", "0123488888"),
            reason=UnmatchedReason.UNKNOWN_ACCOUNT,
        )
        pair = self._two_of_one_school()
        if pair:
            memo = " ".join(order.order_id for order in pair)
            self._wait(
                pair[0],
                f"hoc phi 2 con {memo}",
                UnmatchedReason.AMBIGUOUS,
                amount=sum(order.amount for order in pair) - 450_000,
                moment=max(order.created_at for order in pair) + timedelta(hours=2),
            )

    def _taken_off(self) -> None:
        """A line that staff took off the wrong order again."""
        order = next(self._untouched(reversed(self.fees), PaymentStatus.EXPIRED), None)
        if order is None:
            return
        staff = STAFF[1][1]
        moment = order.created_at + timedelta(hours=3)
        memo = f"{capitals(order.student_name or '')} dong tien"
        row = self._wait(
            order, memo, UnmatchedReason.UNDONE, amount=order.amount // 2, moment=moment
        )
        entry = self.books.allocate(
            row, order, row.amount, moment=moment + timedelta(hours=1), by=staff, reason=memo
        )
        self.books.take_back(
            entry,
            row.amount,
            moment=moment + timedelta(hours=5),
            by=staff,
            reason="Nhầm em cùng tên ở lớp khác",
        )
        conclude(row, TransferState.UNMATCHED, moment)
        self._partly.add(order.pk)

    def _part_of_a_subscription(self) -> None:
        long_ago = self.at - timedelta(hours=2)
        waiting = (it for it in self._untouched(self.own, _OPEN) if it.created_at < long_ago)
        order = next((it for it in waiting if it.expires_at > self.at), None)
        if order is not None:
            owner = self._owner(self.lives[order.instance_id or SAMPLE.id])
            pay_part(order, self.books, owner, at=self.at)
            self._partly.add(order.pk)

    # --- What is none -------------------------------------------------------------------------

    def _aside(self) -> None:
        """Money that left, a line that two services told, and one that staff discarded."""
        days = timedelta(days=1)
        hosting = payer("Công ty Máy chủ Mây Trắng", self.rng)
        rent = self._line("Thanh toan tien thue may chu", 4_730_000, self.at - 5 * days, by=hosting)
        rent.direction, rent.reason = TransferDirection.OUT, UnmatchedReason.OUTGOING
        rent.state = TransferState.IGNORED
        told = next(
            row
            for row in reversed(self.books.lines)
            if row.instance_id is None and row.state == TransferState.MATCHED
        )
        again = self._line(told.memo, told.amount, told.transferred_at, by=_payer_of(told))
        again.provider, again.reference = FeedProvider.CASSO, told.reference
        again.state, again.duplicate_of = TransferState.DUPLICATE, told
        again.received_at = told.received_at + timedelta(seconds=41)
        trial = self._line("test", 2_000, self.at - 9 * days, by=payer(STAFF[0][0], self.rng))
        trial.reason, trial.note = UnmatchedReason.NO_CODE, f"{STAFF[0][1]}: Chuyển thử tài khoản"
        conclude(trial, TransferState.DISCARDED, trial.received_at + timedelta(hours=3))

    # --- Orders -------------------------------------------------------------------------------

    def _untouched(
        self, orders: Sequence[PaymentOrder] | Iterator[PaymentOrder], *states: PaymentStatus
    ) -> Iterator[PaymentOrder]:
        """Orders in a state of which nothing is paid."""
        return (it for it in orders if it.status in states and it.pk not in self._partly)

    def _heir_waits(self, order: PaymentOrder) -> bool:
        heir = order.superseded_by
        return heir is not None and heir.status == _OPEN

    def _two_of_one_school(self) -> list[PaymentOrder]:
        """Two orders that can be paid, of children at the same school."""
        found: dict[UUID | None, list[PaymentOrder]] = defaultdict(list)
        for order in self._untouched(reversed(self.fees), *_PAYABLE):
            same = found[order.instance_id]
            same.append(order)
            if len(same) == 2:
                return same
        return []

    def _owner(self, life: Life) -> Payer:
        return payer(life.owner.full_name, self.rng)

    # --- Lines --------------------------------------------------------------------------------

    def _wait(
        self,
        order: PaymentOrder,
        memo: str,
        reason: UnmatchedReason,
        *,
        by: Payer | None = None,
        amount: int = 0,
        moment: datetime | None = None,
        account: Account | None = None,
    ) -> BankTransfer:
        """A line that an order has to do with, a while after it was opened."""
        own = account is not None or order.type == PaymentType.SUBSCRIPTION
        soon = order.created_at + (self.at - order.created_at) / 3
        row = self._line(
            memo,
            amount or order.amount - (order.credit_offered or 0),
            min(moment or soon, self.at - timedelta(minutes=1)).replace(microsecond=0),
            by=by or parent(order.student_name or "Nguyễn", self.rng),
            account=account or account_of(order),
            instance_id=None if own else order.instance_id,
        )
        return _unmatched(row, reason)

    def _wait_alone(
        self,
        memo: str,
        amount: int,
        moment: datetime,
        *,
        account: Account | None = None,
        reason: UnmatchedReason = UnmatchedReason.UNKNOWN_ORDER,
    ) -> None:
        """A line that no order here has to do with."""
        somebody = parent("Nguyễn", self.rng)
        _unmatched(self._line(memo, amount, moment, by=somebody, account=account), reason)

    def _line(
        self,
        memo: str,
        amount: int,
        moment: datetime,
        *,
        by: Payer,
        account: Account | None = None,
        instance_id: UUID | None = None,
    ) -> BankTransfer:
        row = line(
            account=account or kitehub_account(),
            instance_id=instance_id,
            amount=amount,
            memo=memo,
            by=by,
            moment=moment,
            rng=self.rng,
        )
        self.books.lines.append(row)
        return row


def _payer_of(row: BankTransfer) -> Payer:
    return Payer(row.counterparty_name, row.counterparty_account, row.counterparty_bank)


def _unmatched(row: BankTransfer, reason: UnmatchedReason) -> BankTransfer:
    row.reason = reason
    return conclude(row, TransferState.UNMATCHED, row.received_at)
