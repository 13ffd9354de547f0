"""Bank lines as services tell them: stored once, whoever tells them and however often."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from billing.accounts import plain_number
from billing.enums import FeedProvider, TransferDirection, TransferState, UnmatchedReason
from billing.feeds import Line
from billing.models import BankFeed, BankTransfer
from billing.services import silences
from billing.services.receiving import Owner, owner_of
from billing.twins import SHIFT, Told, twins
from kitehub.jobs.services import enqueue

SETTLE = "billing.tasks.settle_transfer"
# From here on one lock of the account is cheaper than one of each amount.
_MOST_LOCKS = 50
# VietQR's; leading zeros are what programs lose.
_LONGEST_NUMBER = 19
# In what is kept with a statement's line: unless a feed tells it, too, it takes another person.
IMPORTED_ALONE = "alone"
# Of a line for which no text said an order.
UNREAD = (UnmatchedReason.NO_CODE, UnmatchedReason.UNKNOWN_ORDER)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A line that is stored: under which id, as what, and whether it is new by this call."""

    transfer_id: UUID
    state: TransferState
    is_new: bool


def record(line: Line, *, at: datetime, raw_body: str = "") -> Recorded:
    """Stores a line and enqueues its settlement; one that is stored already stays as it is.

    A line that another provider, or a statement, told before becomes a DUPLICATE of it, and is
    never settled. One on an account that is nobody's here waits for a person.
    """
    (recorded,) = record_all([line], at=at, raw_body=raw_body)
    return recorded


def record_all(lines: Sequence[Line], *, at: datetime, raw_body: str = "") -> list[Recorded]:
    """Stores all lines of one message, or none; see `record`. In the order of the lines.

    `raw_body` is kept with a line that is the only one of its message.
    """
    found: dict[int, Recorded] = {}
    with transaction.atomic():
        owners = {each: _owner(each) for each in dict.fromkeys(map(_account, lines))}
        rows = [row_of(line, owners[_account(line)], at) for line in lines]
        if len(rows) == 1:
            rows[0].raw_body = raw_body
        lock(rows)
        respell(rows)
        for place, row in sorted(enumerate(rows), key=lambda pair: _lock_name(pair[1])):
            found[place] = _store(row)
        _hear(rows, owners=[owners[_account(line)] for line in lines], at=at)
    return [found[place] for place in range(len(lines))]


_Account = tuple[str, str, str]


def _account(line: Line) -> _Account:
    return line.account_number, line.virtual_account, line.bank


def _owner(account: _Account) -> Owner | None:
    number, virtual, bank = account
    return owner_of(number, virtual, bank_name=bank)


def row_of(line: Line, owner: Owner | None, at: datetime) -> BankTransfer:
    """The row of a line, under the number by which its owner knows the account now.

    Before it is compared with rows that are there it is to be `respell`ed.
    """
    row = BankTransfer(
        provider=line.provider,
        provider_id=line.provider_id,
        account_number=owner.account_number if owner else line.account_number,
        virtual_account=line.virtual_account,
        bank=line.bank,
        instance_id=owner.instance_id if owner else None,
        direction=line.direction,
        amount=line.amount,
        memo=line.memo,
        details="\n".join(each for each in line.texts if each),
        counterparty_name=line.counterparty_name,
        counterparty_account=line.counterparty_account,
        counterparty_bank=line.counterparty_bank,
        reference=line.reference,
        balance_after=line.balance_after,
        transferred_at=line.transferred_at,
        received_at=at,
        raw=dict(line.raw),
        state=TransferState.RECEIVED,
    )
    if line.direction == TransferDirection.OUT:
        row.state, row.reason = TransferState.IGNORED, UnmatchedReason.OUTGOING
    elif owner is None:
        row.state, row.reason = TransferState.UNMATCHED, UnmatchedReason.UNKNOWN_ACCOUNT
    return row


def _store(row: BankTransfer) -> Recorded:
    twin = find_twin(row)
    if twin is not None:
        row.state, row.reason, row.duplicate_of_id = TransferState.DUPLICATE, None, twin
    if insert([row]):
        if row.state == TransferState.RECEIVED:
            enqueue(SETTLE, transfer_id=str(row.pk))
        if twin is not None:
            read_again(twin, reasons=(*UNREAD, UnmatchedReason.ONLY_STATEMENT))
        return Recorded(row.pk, TransferState(row.state), is_new=True)
    pk, state = BankTransfer.objects.values_list("pk", "state").get(
        provider=row.provider, account_number=row.account_number, provider_id=row.provider_id
    )
    return Recorded(pk, TransferState(state), is_new=False)


def read_again(transfer_id: UUID, *, reasons: Sequence[UnmatchedReason] = UNREAD) -> None:
    """Has a line settled anew that waits for a reason which another source has taken away.

    So it makes no difference which of two sources, one without the memo, was the first.
    """
    unread = BankTransfer.objects.unmatched().filter(
        pk=transfer_id,
        reason__in=reasons,
        allocated_amount=0,
        credited_amount=0,
        refunded_amount=0,
    )
    if unread.update(state=TransferState.RECEIVED, reason=None):
        enqueue(SETTLE, transfer_id=str(transfer_id))


# --- Spellings ----------------------------------------------------------------------------------


def respell(rows: Iterable[BankTransfer]) -> None:
    """Gives rows the number under which the account's lines are stored, if there are any.

    The number that tells lines apart stays, however their owner spells it later. With the account
    locked; see `lock`.
    """
    known: dict[tuple[str, UUID | None], str] = {}
    for row in rows:
        account = row.account_number, row.instance_id
        if account not in known:
            known[account] = spelling(*account)
        row.account_number = known[account]


def spelling(number: str, instance_id: UUID | None) -> str:
    """The number under which lines of somebody's account are stored; the given one without any.

    Lines that came before the account was anybody's are of it as well.
    """
    plain = plain_number(number)
    zeros = ["0" * count for count in range(_LONGEST_NUMBER - len(plain) + 1)]
    spelled = {number} | {zero + each for zero in zeros for each in (plain, plain.lower())}
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT min(spelled COLLATE "C") FROM unnest(%s::text[]) AS spelled WHERE EXISTS ('
            " SELECT FROM bank_transfers WHERE account_number = spelled"
            " AND (instance_id IS NOT DISTINCT FROM %s OR reason = %s))",
            [sorted(spelled), instance_id, UnmatchedReason.UNKNOWN_ACCOUNT.value],
        )
        (found,) = cursor.fetchone()
    return found or number


# --- Locks --------------------------------------------------------------------------------------


def lock(rows: Iterable[BankTransfer]) -> None:
    """Keeps others from storing lines that may be the same, to the end of the transaction.

    Lines are the same only on one account, in one direction, with one amount; other lines of the
    account go on. A statement locks the whole account.
    """
    names: dict[str, set[str]] = {}
    for row in rows:
        names.setdefault(plain_number(row.account_number), set()).add(_lock_name(row))
    with connection.cursor() as cursor:
        for account in sorted(names):
            if len(names[account]) > _MOST_LOCKS:
                lock_account(account)
                continue
            cursor.execute(
                "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0)),"
                " pg_advisory_xact_lock(hashtextextended(name, 0))"
                " FROM unnest(%s::text[]) WITH ORDINALITY AS named (name, place) ORDER BY place",
                [f"bank_transfers {account}", sorted(names[account])],
            )


def lock_account(account_number: str) -> None:
    """Keeps others from storing any line of an account, to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"bank_transfers {plain_number(account_number)}"],
        )


def _lock_name(row: BankTransfer) -> str:
    return f"bank_transfers {plain_number(row.account_number)} {row.direction} {row.amount}"


# --- Lines that are there -----------------------------------------------------------------------

# Lines of other sources that this one may be, without those that have a twin in its own.
_CANDIDATES = """
    SELECT one.id, one.transferred_at, one.memo, one.reference, one.balance_after
    FROM bank_transfers one
    WHERE one.account_number = %(account)s
        AND one.amount = %(amount)s
        AND one.transferred_at BETWEEN %(since)s AND %(until)s
        AND one.direction = %(direction)s
        AND one.provider <> %(provider)s
        AND one.state <> 'DUPLICATE'
        AND NOT EXISTS (
            SELECT FROM bank_transfers told
            WHERE told.account_number = one.account_number
                AND told.amount = one.amount
                AND told.transferred_at BETWEEN %(since)s - %(shift)s AND %(until)s + %(shift)s
                AND told.duplicate_of_id = one.id
                AND told.provider = %(provider)s
                AND told.provider_id <> %(provider_id)s
        )
        AND EXISTS (
            SELECT FROM bank_transfers other
            WHERE other.account_number = %(account)s AND other.provider = ANY (%(others)s)
        )
"""


def find_twin(row: BankTransfer) -> UUID | None:
    """The line that another source told and that is this one; None where there is none.

    Where no other source tells of the account at all, which is the usual case, no line is looked
    at.
    """
    asked: dict[str, Any] = {
        "account": row.account_number,
        "amount": row.amount,
        "since": row.transferred_at - SHIFT,
        "until": row.transferred_at + SHIFT,
        "shift": SHIFT,
        "direction": str(row.direction),
        "provider": str(row.provider),
        "provider_id": row.provider_id,
        "others": [each for each in FeedProvider.values if each != row.provider],
    }
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, asked)
        found = cursor.fetchall()
    candidates = [
        Told(str(row.direction), row.amount, at, memo, reference, balance)
        for _pk, at, memo, reference, balance in found
    ]
    twin = twins([told(row)], candidates).get(0)
    return None if twin is None else found[twin][0]


def told(row: BankTransfer) -> Told:
    """What is compared of a row."""
    return Told(
        str(row.direction), row.amount, row.transferred_at, row.memo, row.reference,
        row.balance_after,
    )  # fmt: skip


_WRITTEN = (
    *("id", "provider", "provider_id", "account_number", "virtual_account", "bank", "instance"),
    *("direction", "amount", "memo", "details", "counterparty_name", "counterparty_account"),
    *("counterparty_bank", "reference", "balance_after", "transferred_at", "received_at", "raw"),
    *("raw_body", "statement_key", "state", "reason", "note", "duplicate_of"),
)


def insert(rows: Sequence[BankTransfer]) -> set[UUID]:
    """Inserts the rows that nobody told yet; returns the ids of those."""
    fields: list[Any] = [BankTransfer._meta.get_field(name) for name in _WRITTEN]
    one = f"({', '.join(['%s'] * len(fields))})"
    columns = ", ".join(field.column for field in fields)
    values = [
        field.get_db_prep_save(getattr(row, field.attname), connection)
        for row in rows
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO bank_transfers ({columns}) VALUES {', '.join([one] * len(rows))}"  # noqa: S608
            " ON CONFLICT DO NOTHING RETURNING id",
            values,
        )
        return {pk for (pk,) in cursor.fetchall()}


# --- Feeds --------------------------------------------------------------------------------------


def _hear(rows: Sequence[BankTransfer], *, owners: Sequence[Owner | None], at: datetime) -> None:
    """Notes that the feeds of our accounts live; last, for everybody's messages wait for it."""
    heard = {
        (str(row.provider), row.account_number)
        for row, owner in zip(rows, owners, strict=True)
        if owner is not None
    }
    for provider, account in sorted(heard):
        silences.hear(provider=provider, account_number=account, at=at)


def count_refusal(*, provider: FeedProvider, reason: str, at: datetime) -> None:
    """Counts a message that wasn't believed or can't be read; nothing else is kept of it.

    Under no account: what it says of one is as little to be believed as the rest.
    """
    longest = BankFeed._meta.get_field("refused_reason").max_length
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO bank_feeds AS feed
                (provider, account_number, refused, refused_at, refused_reason)
            VALUES (%(provider)s, '', 1, %(at)s, %(reason)s)
            ON CONFLICT (provider, account_number) DO UPDATE
            SET refused = feed.refused + 1,
                refused_at = EXCLUDED.refused_at,
                refused_reason = EXCLUDED.refused_reason
            """,
            {"provider": str(provider), "at": at, "reason": reason[:longest]},
        )
