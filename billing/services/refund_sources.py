"""What refunds are of: a paid order, a bank line without order, or an instance's credit."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from billing.banks import find_banks
from billing.enums import (
    PaymentStatus,
    PaymentType,
    RefundRefusal,
    RefundSource,
    RefundStatus,
    TransferDirection,
    TransferState,
)
from billing.models import BankTransfer, PaymentAllocation, PaymentOrder, Refund
from billing.services import credit
from billing.services.order_locks import lock_with_lines

# No payments, and one that is about to be looked at.
_NOT_TO_BE_REFUNDED = (TransferState.IGNORED, TransferState.DUPLICATE, TransferState.RECEIVED)


class RefundRefused(Exception):
    """Why a refund can't be asked for or decided; nothing was written.

    `available` is what could be paid back, in đồng, where the amount was the reason.
    """

    def __init__(self, refusal: RefundRefusal, *, available: int | None = None) -> None:
        super().__init__(refusal.label)
        self.refusal = refusal
        self.available = available


class _MoneyCameError(Exception):
    """A bank line became credit before the credit was locked."""


@dataclass(frozen=True, slots=True)
class Payee:
    """The account that money goes back to."""

    bank_bin: str = ""
    account_number: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the money of a refund comes from: the key of an order, a bank line or an instance."""

    source: RefundSource
    key: UUID

    @classmethod
    def given(
        cls, *, order_id: UUID | None, transfer_id: UUID | None, instance_id: UUID | None
    ) -> "Origin":
        """The one that is given. Raises ValueError for none or several."""
        keys = {
            RefundSource.ORDER: order_id,
            RefundSource.TRANSFER: transfer_id,
            RefundSource.CREDIT: instance_id,
        }
        found = [cls(source, key) for source, key in keys.items() if key is not None]
        if len(found) != 1:
            raise ValueError("A refund is of an order, of a bank line or of an instance's credit.")
        return found[0]

    @classmethod
    def of(cls, refund: Refund) -> "Origin":
        """That of a refund that was asked for."""
        source = RefundSource(refund.source)
        own_instance = refund.instance_id if source == RefundSource.CREDIT else None
        return cls.given(
            order_id=refund.order_id, transfer_id=refund.transfer_id, instance_id=own_instance
        )

    def instance_id(self) -> UUID | None:
        """Whose money it is, where that is known."""
        if self.source == RefundSource.CREDIT:
            return self.key
        if self.source == RefundSource.ORDER:
            return PaymentOrder.all_objects.get(pk=self.key).instance_id
        return None

    def lock(self) -> list[BankTransfer]:
        """Locks what the money comes from; returns the bank lines, the newest first."""
        match self.source:
            case RefundSource.ORDER:
                lock_with_lines(PaymentOrder.all_objects.filter(pk=self.key))
                lines = self._locked_lines()
            case RefundSource.CREDIT:
                lines = self._lock_credit()
            case _:
                lines = self._locked_lines()
        return sorted(lines, key=lambda line: (line.transferred_at, line.pk), reverse=True)

    def available(self) -> int:
        """What may go back in đồng, requests that wait left aside. Raises RefundRefused."""
        match self.source:
            case RefundSource.CREDIT:
                # Goodwill is used up before money is, and is never paid out.
                return min(
                    credit.balance(instance_id=self.key),
                    credit.money_left(instance_id=self.key),
                )
            case RefundSource.TRANSFER:
                return self._left_of_line()
            case _:
                return self._paid_for_order()

    def asked_for(self) -> int:
        """What is asked for already and not decided yet, in đồng."""
        column = {
            RefundSource.ORDER: "order_id",
            RefundSource.TRANSFER: "transfer_id",
            RefundSource.CREDIT: "instance_id",
        }[self.source]
        waiting = Refund.objects.filter(source=self.source, status=RefundStatus.REQUESTED)
        return waiting.filter(**{column: self.key}).aggregate(sum=Sum("amount"))["sum"] or 0

    def cash(self, amount: int) -> int:
        """How much of an amount the bank would send; the rest was credit and is again."""
        if self.source != RefundSource.ORDER:
            return amount
        lines = PaymentAllocation.objects.filter(order_id=self.key, transfer__isnull=False)
        return min(amount, lines.aggregate(sum=Sum("amount"))["sum"] or 0)

    # --- Parts ----------------------------------------------------------------------------------

    def _locked_lines(self) -> list[BankTransfer]:
        rows = BankTransfer.objects.select_for_update(of=("self",), no_key=True)
        return list(rows.filter(pk__in=self._lines()).order_by("pk"))

    def _lock_credit(self) -> list[BankTransfer]:
        """Where money comes in between, all is let go and tried again."""
        while True:
            with suppress(_MoneyCameError), transaction.atomic():
                lines = self._locked_lines()
                credit.lock_balance(instance_id=self.key)
                if self._lines() <= {line.pk for line in lines}:
                    return lines
                raise _MoneyCameError

    def _lines(self) -> set[UUID]:
        match self.source:
            case RefundSource.CREDIT:
                return set(credit.held_by_transfers(instance_id=self.key))
            case RefundSource.TRANSFER:
                return {self.key}
            case _:
                paid = PaymentAllocation.objects.filter(order_id=self.key)
                keys = paid.values_list("transfer_id", flat=True)
                return {key for key in keys if key is not None}

    def _left_of_line(self) -> int:
        line = BankTransfer.objects.filter(pk=self.key).first()
        if line is None or line.direction != TransferDirection.IN:
            raise RefundRefused(RefundRefusal.NO_MONEY)
        if line.instance_id is not None:
            raise RefundRefused(RefundRefusal.NOT_OURS)
        return 0 if line.state in _NOT_TO_BE_REFUNDED else line.unmatched

    def _paid_for_order(self) -> int:
        order = PaymentOrder.all_objects.filter(pk=self.key).first()
        if order is None or order.status != PaymentStatus.PAID:
            raise RefundRefused(RefundRefusal.NO_MONEY)
        if order.type != PaymentType.SUBSCRIPTION:
            raise RefundRefused(RefundRefusal.NOT_OURS)
        return order.paid_amount


def payee_of(lines: Sequence[BankTransfer]) -> Payee:
    """Where the newest of some bank lines came from that says so; an empty payee where none does.

    Banks are told by BIN or by name; a name that may mean several banks says nothing.
    """
    for line in lines:
        known = find_banks(line.counterparty_bank) if line.counterparty_bank.strip() else []
        if line.counterparty_account and len(known) == 1:
            return Payee(
                bank_bin=known[0].bin,
                account_number=line.counterparty_account,
                name=line.counterparty_name,
            )
    return Payee()
