"""Bank lines: what banks and the services that watch the accounts say of each transfer."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from billing.accounts import Account
from billing.banks import bank
from billing.enums import FeedProvider, TransferDirection, TransferState
from billing.models import BankFeed, BankTransfer
from kitehub.demo.banks import BANKS, account_number, reference
from kitehub.demo.chance import fixed_id, random_id
from kitehub.demo.moments import VIETNAM
from kitehub.demo.people import FAMILIES, OWNERS
from kitehub.demo.texts import capitals

# Far beyond what a real account has seen, so that the demo fits beside real lines.
_FIRST_ID = 8_000_000_000


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose account the money came from."""

    name: str
    account: str
    bank: str


def payer(name: str, rng: Random) -> Payer:
    """Somebody's account at some bank."""
    theirs = rng.choice(BANKS)
    number = account_number(theirs, rng.randrange(10_000, 99_999))
    known = bank(theirs.bin)
    return Payer(capitals(name), number, known.short_name if known else theirs.name)


def parent(student: str, rng: Random) -> Payer:
    """A parent of a student: mostly of the same family."""
    family = student.split()[0] if rng.random() < 0.7 else rng.choice(FAMILIES)
    return payer(f"{family} {rng.choice(OWNERS)}", rng)


def line(
    *,
    account: Account,
    instance_id: UUID | None,
    amount: int,
    memo: str,
    by: Payer,
    moment: datetime,
    rng: Random,
    told_as: str = "",
) -> BankTransfer:
    """A line of an account, told a few seconds later and not settled yet."""
    known = bank(account.bank_bin)
    return BankTransfer(
        id=random_id(rng),
        # Most schools use the same service as KiteHub.
        provider=FeedProvider.CASSO if account.number.endswith("5") else FeedProvider.SEPAY,
        account_number=account.number,
        bank=known.short_name if known else account.bank_bin,
        instance_id=instance_id,
        direction=TransferDirection.IN,
        amount=amount,
        memo=memo,
        counterparty_name=by.name,
        counterparty_account=by.account,
        counterparty_bank=by.bank,
        reference=told_as or reference(moment, rng),
        transferred_at=moment,
        received_at=moment + timedelta(seconds=rng.randint(1, 4)),
        state=TransferState.RECEIVED,
    )


def conclude(row: BankTransfer, state: TransferState, moment: datetime) -> BankTransfer:
    """What was made of a line."""
    row.state = state
    row.settled_at = None if state == TransferState.UNMATCHED else moment
    return row


def number(rows: Iterable[BankTransfer], *, rng: Random) -> list[BankTransfer]:
    """Gives the lines, in the order of the bank, ids, balances and the message they came in."""
    balances: dict[str, int] = defaultdict(lambda: rng.randrange(20, 90) * 1_000_000)
    ordered = sorted(rows, key=lambda row: (row.transferred_at, str(row.pk)))
    for place, row in enumerate(ordered):
        if row.state == TransferState.DUPLICATE:
            row.balance_after = balances[row.account_number]
        else:
            came = row.direction == TransferDirection.IN
            balances[row.account_number] += row.amount if came else -row.amount
            row.balance_after = balances[row.account_number]
        row.provider_id = str(_FIRST_ID + place)
        row.raw = _raw(row)
    return ordered


def _raw(row: BankTransfer) -> dict[str, Any]:
    """The message, in the form of the service that told it."""
    when = f"{row.transferred_at.astimezone(VIETNAM):%Y-%m-%d %H:%M:%S}"
    if row.provider == FeedProvider.CASSO:
        return {
            "id": int(row.provider_id),
            "tid": row.reference,
            "description": row.memo,
            "amount": row.amount,
            "cusum_balance": row.balance_after,
            "when": when,
            "bank_sub_acc_id": row.account_number,
            "corresponsiveName": row.counterparty_name,
            "corresponsiveAccount": row.counterparty_account,
            "corresponsiveBankName": row.counterparty_bank,
        }
    return {
        "id": int(row.provider_id),
        "gateway": row.bank,
        "transactionDate": when,
        "accountNumber": row.account_number,
        "content": row.memo,
        "transferType": "in" if row.direction == TransferDirection.IN else "out",
        "transferAmount": row.amount,
        "accumulated": row.balance_after,
        "referenceCode": row.reference,
    }


def feeds(rows: Iterable[BankTransfer], known: set[str], *, at: datetime) -> list[BankFeed]:
    """The feeds of the accounts that are somebody's, all of them heard of just now."""
    told: dict[tuple[str, str], list[BankTransfer]] = defaultdict(list)
    for row in rows:
        if row.account_number in known:
            told[str(row.provider), row.account_number].append(row)
    return [
        BankFeed(
            id=fixed_id(f"feed/{provider}/{account}"),
            provider=provider,
            account_number=account,
            first_seen_at=min(row.received_at for row in lines),
            last_seen_at=at,
            received=len(lines),
        )
        for (provider, account), lines in sorted(told.items())
    ]
