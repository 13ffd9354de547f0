"""What a payment order does, in plain Python: the oracle of the state machines."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.db import IntegrityError, transaction
from hypothesis import strategies as st

from billing.models import PaymentOrder
from kitehub.db.base import StaleRow
from tests.kitehub.db.records import execute

START = datetime(2026, 1, 30, 9, 0, tzinfo=UTC)
# Written down again, so that a wrong table in the code is not its own witness.
FOLLOWS = {
    "PENDING": {"PAID", "EXPIRED", "CANCELLED"},
    "EXPIRED": {"PAID"},
    "PAID": set(),
    "CANCELLED": set(),
}

Fields = Mapping[str, Any]

# What a writer may say: any of these columns, and of a deletion one of the two.
_PLAIN = {
    "status": st.sampled_from(sorted(FOLLOWS)),
    "amount": st.integers(1, 3),
    "paid_at": st.sampled_from([None, START]),
    "transaction_reference": st.sampled_from([None, "", "FT1"]),
}
FIELDS = st.one_of(
    st.just({"status": "PAID", "paid_at": START, "transaction_reference": "FT1"}),
    st.fixed_dictionaries({}, optional={**_PLAIN, "deleted": st.booleans()}).filter(bool),
    st.fixed_dictionaries({}, optional={**_PLAIN, "deleted_at": _PLAIN["paid_at"]}).filter(bool),
)
# Two that say nothing of a version, and three that say which one they have read.
WRITERS = st.sampled_from(["update", "raw", "save", "asave", "jpa"])
CHECKED = {"save", "asave", "jpa"}


@dataclass(frozen=True)
class Order:
    """A payment order as it must be."""

    status: str = "PENDING"
    amount: int = 1
    paid_at: datetime | None = None
    transaction_reference: str | None = None
    deleted: bool = False
    # START, or the database's own moment.
    deleted_at: Any = None
    version: int = 0
    expires_at: datetime = START + timedelta(minutes=30)

    def written(self, writer: str, fields: Fields, seen: int) -> tuple[str, "Order"]:
        """What a writer is told, and the order afterwards; `seen` is the version they have read."""
        if writer in CHECKED and seen != self.version:
            return "stale", self
        after = replace(self, **fields)
        if "deleted" in fields and fields["deleted"] != self.deleted:
            after = replace(after, deleted_at="now" if after.deleted else None)
        elif "deleted_at" in fields:
            after = replace(after, deleted=after.deleted_at is not None)
        if after.status != self.status and after.status not in FOLLOWS[self.status]:
            return "refused", self
        if after.status == "PAID" and not (after.paid_at and after.transaction_reference):
            return "refused", self
        if after == self and writer != "jpa":
            return "done", self
        return "done", replace(after, version=self.version + 1)

    def expired(self, at: datetime) -> tuple[int, "Order"]:
        """How many orders an expiry counts, and the order afterwards."""
        if self.status == "PENDING" and self.expires_at < at and not self.deleted:
            return 1, replace(self, status="EXPIRED", version=self.version + 1)
        return 0, self

    def equals(self, row: PaymentOrder) -> bool:
        """Whether the row is this order."""
        same = all(
            getattr(row, name) == getattr(self, name)
            for name in (
                "status",
                "amount",
                "paid_at",
                "transaction_reference",
                "deleted",
                "version",
            )
        )
        moment = row.deleted_at not in (None, START) if self.deleted_at == "now" else None
        return same and (row.deleted_at == self.deleted_at if moment is None else moment)


def write(writer: str, fields: Fields, row: PaymentOrder) -> str:
    """Writes as this writer does; `row` is what they have read. Returns what they are told."""
    try:
        with transaction.atomic():
            return _write(writer, fields, row)
    except IntegrityError:
        return "refused"
    except StaleRow:
        return "stale"


def _write(writer: str, fields: Fields, row: PaymentOrder) -> str:
    this = PaymentOrder.all_objects.filter(pk=row.pk)
    match writer:
        case "update":
            this.update(**fields)
        case "raw":
            columns = ", ".join(f"{name} = %s" for name in fields)
            sql = f"UPDATE payment_orders SET {columns} WHERE id = %s"
            execute(sql, *fields.values(), row.pk)
        case "jpa":
            mine = this.filter(version=row.version)
            return "done" if mine.update(**fields, version=row.version + 1) else "stale"
        case _:
            for name, value in fields.items():
                setattr(row, name, value)
            row.save() if writer == "save" else async_to_sync(row.asave)()
    return "done"


def read(pk: UUID) -> PaymentOrder:
    """The row as it is."""
    return PaymentOrder.all_objects.get(pk=pk)
