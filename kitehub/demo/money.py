"""Money: everything that follows from the schools' orders, made and written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from billing.models import (
    BankFeed,
    BankTransfer,
    CreditEntry,
    FeedSilence,
    PaymentAllocation,
    PaymentOrder,
    Receipt,
    ReceiptCounter,
    Refund,
    SubscriptionPeriod,
)
from kitehub.demo import bank_lines, inbox, payments
from kitehub.demo.books import Books
from kitehub.demo.chance import fixed_id, stream
from kitehub.demo.clock import moved_clock
from kitehub.demo.instances import bank_account, has_bank
from kitehub.demo.orders import kitehub_account
from kitehub.demo.periods import periods
from kitehub.demo.receipts import receipts
from kitehub.demo.refunds import Decided, refunds
from kitehub.demo.subscriptions import Life


@dataclass
class Money:
    """The rows that follow from the orders, not written yet."""

    transfers: list[BankTransfer]
    entries: list[tuple[datetime, PaymentAllocation | CreditEntry]]
    refunds: list[Decided]
    periods: list[SubscriptionPeriod]
    receipts: list[Receipt]
    feeds: list[BankFeed]
    silences: list[FeedSilence]


def money(lives: Sequence[Life], fees: Sequence[PaymentOrder], *, at: datetime, seed: int) -> Money:
    """What banks and staff made of the orders, which aren't written yet and get their part of it.

    `fees` are the orders of schools' own customers.
    """
    books = Books(rng=stream(seed, "books"))
    for place, life in enumerate(lives):
        payments.pay_subscriptions(life, books, place=place, seed=seed)
    payments.pay_enrollments(fees, books, at=at)
    inbox.Inbox(lives, fees, books, at=at).fill()
    back = refunds(books, at=at)
    bought = [row for life in lives for row in periods(life, books.rng)]
    lines = bank_lines.number(books.lines, rng=books.rng)
    known = {bank_account(life).number for life in lives if has_bank(life.school)}
    own = kitehub_account().number
    feeds = bank_lines.feeds(lines, {own, *known}, at=at)
    return Money(
        transfers=lines,
        entries=sorted(books.entries, key=lambda pair: pair[0]),
        refunds=back,
        periods=bought,
        receipts=receipts(lives, bought, books, books.rng),
        feeds=feeds,
        silences=[_silence(feed, at=at) for feed in feeds if feed.account_number == own][:1],
    )


def _silence(feed: BankFeed, *, at: datetime) -> FeedSilence:
    """An afternoon on which KiteHub's feed said nothing."""
    start = at - timedelta(days=100)
    return FeedSilence(
        id=fixed_id("silence"), feed=feed, starts_at=start, ends_at=start + timedelta(hours=4)
    )


def write_transfers(made: Money) -> int:
    """The bank lines; those that tell of another one come after it."""
    again = [row for row in made.transfers if row.duplicate_of_id]
    first = [row for row in made.transfers if not row.duplicate_of_id]
    BankTransfer.objects.bulk_create(first)
    BankTransfer.objects.bulk_create(again)
    return len(made.transfers)


def write_entries(made: Money) -> int:
    """Allocations and credit, each at its time: the triggers add them up. Counts balances too."""
    with moved_clock(connections[DEFAULT_DB_ALIAS]) as move_to:
        for moment, entry in made.entries:
            move_to(moment)
            _insert([entry])
    owners = {entry.instance_id for _, entry in made.entries if isinstance(entry, CreditEntry)}
    return len(made.entries) + len(owners)


def write_refunds(made: Money) -> int:
    """Refunds, asked for and then decided; counts what they took off orders too."""
    with moved_clock(connections[DEFAULT_DB_ALIAS]) as move_to:
        for each in made.refunds:
            _insert([each.refund])
            for changes in each.changes:
                Refund.objects.filter(pk=each.refund.pk).update(**changes)
            if each.entry is not None:
                move_to(each.entry.created_at)
                _insert([each.entry])
    return len(made.refunds) + sum(each.entry is not None for each in made.refunds)


def write_periods(made: Money) -> int:
    """The subscriptions' periods."""
    return _insert(made.periods)


def write_receipts(made: Money) -> int:
    """Receipts; counts the counters of years that had none too."""
    before = ReceiptCounter.objects.count()
    return _insert(made.receipts) + ReceiptCounter.objects.count() - before


def write_feeds(made: Money) -> int:
    """The feeds of the accounts, and their silences."""
    return _insert(made.feeds) + _insert(made.silences)


def _insert(rows: Iterable[Any]) -> int:
    rows = list(rows)
    return len(type(rows[0])._base_manager.bulk_create(rows)) if rows else 0
