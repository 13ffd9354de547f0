"""The books: which đồng of which bank line or credit is for what, before it is written."""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from uuid import UUID

from billing.enums import CreditKind, TransferState
from billing.models import BankTransfer, CreditEntry, PaymentAllocation, PaymentOrder
from billing.services.settlement import ACTOR
from kitehub.demo.bank_lines import conclude
from kitehub.demo.chance import random_id


@dataclass
class Books:
    """Lines, and the entries that are written after them, in the order in which they were booked.

    An entry's moment is what the order's row says of its last change.
    """

    rng: Random
    lines: list[BankTransfer] = field(default_factory=list)
    entries: list[tuple[datetime, PaymentAllocation | CreditEntry]] = field(default_factory=list)
    credit: dict[UUID, int] = field(default_factory=dict)

    def allocate(
        self,
        row: BankTransfer,
        order: PaymentOrder,
        amount: int,
        *,
        moment: datetime,
        by: str = ACTOR,
        reason: str = "",
    ) -> PaymentAllocation:
        """Some of a line for an order."""
        entry = PaymentAllocation(
            id=random_id(self.rng),
            transfer=row,
            order=order,
            amount=amount,
            created_at=moment,
            created_by=by,
            reason=reason,
        )
        conclude(row, TransferState.MATCHED, moment)
        self.entries.append((max(moment, order.updated_at), entry))
        return entry

    def take_back(
        self, entry: PaymentAllocation, amount: int, *, moment: datetime, by: str, reason: str
    ) -> PaymentAllocation:
        """A counter-entry."""
        back = PaymentAllocation(
            id=random_id(self.rng),
            transfer=entry.transfer,
            order=entry.order,
            amount=-amount,
            reverses=entry,
            created_at=moment,
            created_by=by,
            reason=reason,
        )
        self.entries.append((max(moment, entry.order.updated_at), back))
        return back

    def keep(
        self, row: BankTransfer, order: PaymentOrder, amount: int, *, moment: datetime
    ) -> None:
        """What a line has more than its order asked for."""
        self._credit(order, amount, CreditKind.EXCESS, moment=moment, row=row)

    def spend(self, order: PaymentOrder, *, moment: datetime) -> None:
        """The credit that an order was offered, for it."""
        amount = order.credit_offered
        entry = self._credit(order, -amount, CreditKind.SPENT, moment=moment)
        paying = PaymentAllocation(
            id=random_id(self.rng),
            credit_entry=entry,
            order=order,
            amount=amount,
            created_at=moment,
            created_by=ACTOR,
        )
        self.entries.append((order.updated_at, paying))

    def balance(self, instance_id: UUID | None) -> int:
        """What a school has with KiteHub by now."""
        return self.credit.get(instance_id, 0) if instance_id else 0

    def _credit(
        self,
        order: PaymentOrder,
        amount: int,
        kind: CreditKind,
        *,
        moment: datetime,
        row: BankTransfer | None = None,
    ) -> CreditEntry:
        assert order.instance_id is not None  # noqa: S101 - the demo's orders have one
        entry = CreditEntry(
            id=random_id(self.rng),
            instance_id=order.instance_id,
            amount=amount,
            kind=kind,
            transfer=row,
            order=order,
            balance_after=0,  # the trigger's
            created_at=moment,
            created_by=ACTOR,
        )
        self.credit[order.instance_id] = self.balance(order.instance_id) + amount
        self.entries.append((moment, entry))
        return entry
