"""What every service that reports bank transfers is read into, and how it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from billing.enums import FeedProvider, TransferDirection

# NAPAS's specification of VietQR gives an amount 13 digits.
MOST_DONG = 9_999_999_999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a bank account, as a service or a statement told it.

    `provider_id` is what `provider` calls it, the same at every delivery; `reference` is the bank's
    own name for it, empty where none was sent. `virtual_account` is the number that the payer saw,
    where the bank gave one to an order or a shop. `bank` is a BIN or a name, as it was sent.
    `amount` is in đồng, from 1 to 13 digits, whichever way it went. `texts` are the other texts
    that an order's code may stand in. `transferred_at` is aware; `has_time` says whether the hour
    is known or only the day. `raw` is the line as it came, fields that nobody knows included.
    """

    provider: FeedProvider
    provider_id: str
    account_number: str
    virtual_account: str = ""
    bank: str = ""
    direction: TransferDirection
    amount: int
    memo: str = ""
    texts: tuple[str, ...] = ()
    counterparty_name: str = ""
    counterparty_account: str = ""
    counterparty_bank: str = ""
    reference: str = ""
    transferred_at: datetime
    has_time: bool = True
    balance_after: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a service proves itself with; several of each while one is being replaced.

    `tokens` are sent as they are in a header, `signing_keys` sign the body.
    """

    tokens: tuple[str, ...] = field(default=(), repr=False)
    signing_keys: tuple[str, ...] = field(default=(), repr=False)


class Refused(Exception):
    """The sender didn't prove that it is the service: nothing of the body may be believed.

    `status` is 401 where no proof came or it can't be read, 403 where it is wrong or out of time,
    404 where no secret is set for the service, so that nobody can prove anything. `code` is stable.
    """

    def __init__(self, code: str, reason: str | Promise, status: int) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason
        self.status = status


class Malformed(Exception):
    """A body of the right sender that is not as the service writes it: which field, and why."""

    def __init__(self, field: str, reason: str | Promise) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" if self.field else str(self.reason)
