"""What a receipt says: facts frozen at the moment it was issued, and their JSON."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kitehub.enums import Tier

# "Biên nhận".
SERIES = "BN"
_VERSION = 1
# The database's columns take no more digits.
_NUMBER = re.compile(rf"{SERIES}([0-9]{{4}})-?([0-9]{{1,9}})", re.ASCII)


def receipt_number(*, year: int, number: int) -> str:
    """How people write a receipt's number: the series, the year, six digits: `BN2026-000001`."""
    return f"{SERIES}{year}-{number:06d}"


def read_number(text: str) -> tuple[int, int] | None:
    """Year and number of a receipt as people write it; None for any other text."""
    found = _NUMBER.fullmatch(text.strip().upper())
    return (int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Party:
    """A side of a receipt: its name, and what else identifies it, a line each."""

    name: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that paid: a bank's line, or the school's credit where there is no bank. In đồng."""

    amount: int
    bank: str = ""
    reference: str = ""
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReceiptContent:
    """One receipt, or with `voids` the counter-entry that takes another one back.

    `amount` is in đồng and never negative; a counter-entry takes it back. Times are aware. The
    period is what the payment paid for as far as was known when the receipt was issued; of an
    `upgrade` it ends where what is raised to the tier does.
    """

    number: str
    issued_at: datetime
    issuer: Party
    payer: Party
    order_code: str
    amount: int
    tier: Tier | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    payments: tuple[Payment, ...] = field(default=())
    voids: str = ""
    reason: str = ""
    upgrade: bool = False

    def to_json(self) -> dict[str, Any]:
        """All but number and time, which the row has; `from_json` makes the same content of it."""
        return {
            "version": _VERSION,
            "issuer": _party(self.issuer),
            "payer": _party(self.payer),
            "order_code": self.order_code,
            "amount": self.amount,
            "tier": self.tier.value if self.tier else None,
            "period_start": _moment(self.period_start),
            "period_end": _moment(self.period_end),
            "payments": [
                {
                    "amount": payment.amount,
                    "bank": payment.bank,
                    "reference": payment.reference,
                    "received_at": _moment(payment.received_at),
                }
                for payment in self.payments
            ],
            "voids": self.voids,
            "reason": self.reason,
            "upgrade": self.upgrade,
        }

    @classmethod
    def from_json(
        cls, said: Mapping[str, Any], *, number: str, issued_at: datetime
    ) -> "ReceiptContent":
        """The content that `to_json` wrote, with what the row itself says.

        Raises ValueError for another version of it.
        """
        if said.get("version") != _VERSION:
            raise ValueError(f"version is {said.get('version')!r}, and must be {_VERSION}.")
        return cls(
            number=number,
            issued_at=issued_at,
            issuer=_read_party(said["issuer"]),
            payer=_read_party(said["payer"]),
            order_code=said["order_code"],
            amount=said["amount"],
            tier=Tier(said["tier"]) if said["tier"] else None,
            period_start=_read_moment(said["period_start"]),
            period_end=_read_moment(said["period_end"]),
            payments=tuple(
                Payment(
                    amount=payment["amount"],
                    bank=payment["bank"],
                    reference=payment["reference"],
                    received_at=_read_moment(payment["received_at"]),
                )
                for payment in said["payments"]
            ),
            voids=said["voids"],
            reason=said["reason"],
            # Receipts from before say nothing of it, and stay as they were printed.
            upgrade=said.get("upgrade", False),
        )


def _party(party: Party) -> dict[str, Any]:
    return {"name": party.name, "details": list(party.details)}


def _read_party(said: Mapping[str, Any]) -> Party:
    return Party(name=said["name"], details=tuple(said["details"]))


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _read_moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None
