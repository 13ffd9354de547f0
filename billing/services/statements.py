"""Statements are imported: what no feed and no earlier statement told is booked, once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.accounts import same_number
from billing.enums import StatementOutcome, TransferDirection, TransferState, UnmatchedReason
from billing.matching import order_codes_in
from billing.models import BankTransfer, StatementMapping
from billing.services import silences
from billing.services.receiving import Owner, owner_of
from billing.services.transfers import (
    IMPORTED_ALONE,
    SETTLE,
    UNREAD,
    insert,
    lock_account,
    read_again,
    row_of,
    spelling,
    told,
)
from billing.statements import (
    Mapping,
    Problem,
    Report,
    StatementLine,
    Unreadable,
    lines,
    preview,
)
from billing.twins import SHIFT, Told, twins
from kitehub.db.acting import acting
from kitehub.jobs.services import enqueue

_T = TypeVar("_T")
_BATCH = 500
# Clocks differ; a day that is yet to come is a date that was read the wrong way around.
_AHEAD = timedelta(days=1)
_LONGEST_FILENAME = 200


class StatementRefused(Exception):
    """A statement that can't be imported as a whole; `code` is stable, `reason` for people."""

    def __init__(self, code: str, reason: str | Promise) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return str(self.reason)


@dataclass(frozen=True, slots=True)
class ImportedLine:
    """What became of a row of the file; the bank line that it is."""

    row: int
    outcome: StatementOutcome
    amount: int
    direction: TransferDirection
    transfer_id: UUID


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, row by row: the lines, and the rows that it could not read.

    A dry run says the same and did nothing. `waits` says that money of new lines waits for another
    person than who imported it.
    """

    account_number: str
    lines: tuple[ImportedLine, ...]
    problems: tuple[Problem, ...]
    dry_run: bool = False
    waits: bool = False

    def count(self, outcome: StatementOutcome) -> int:
        """How many lines had an outcome."""
        return Counter(line.outcome for line in self.lines)[outcome]


def import_statement(
    *,
    data: bytes,
    filename: str,
    mapping: Mapping | None,
    account_number: str,
    actor: str,
    at: datetime,
    dry_run: bool = False,
    alone: bool = False,
) -> ImportResult:
    """Books what a statement of an account says and nobody said before, in one transaction.

    Without a mapping the file's own words tell which column is what. A line that a feed or an
    earlier statement told is not booked again: each has at most one twin there (`billing.twins`).
    Rows that can't be read are reported, the others are booked; money that came is settled in the
    background. Where one person imports `alone` what the account's living feed didn't tell, money
    waits in the inbox for somebody else. Raises Unreadable for a file that is no statement, and
    StatementRefused for an account that is nobody's here or that isn't the file's.
    """
    report = _without_the_future(_read(data, filename, mapping, account_number), at)
    owner = owner_of(account_number)
    if owner is None:
        raise StatementRefused(
            "unknown_account",
            _("Nobody is paid on the account %(number)s.") % {"number": account_number},
        )
    if report.account_number and not same_number(report.account_number, account_number):
        raise StatementRefused(
            "other_account",
            _("The statement is of the account %(number)s.") % {"number": report.account_number},
        )
    source: dict[str, Any] = {"file": filename[:_LONGEST_FILENAME].replace("\x00", ""), "by": actor}
    with transaction.atomic(), acting(actor):
        lock_account(owner.account_number)
        stored = spelling(owner.account_number, owner.instance_id)
        waits = alone and silences.is_heard(account_number=stored, at=at)
        if waits:
            source[IMPORTED_ALONE] = True
        imported = _book(report.lines, replace(owner, account_number=stored), source, at)
        if dry_run:
            transaction.set_rollback(True)
    return ImportResult(
        owner.account_number,
        tuple(imported),
        report.problems,
        dry_run,
        waits and any(map(_is_new_money, imported)),
    )


def _is_new_money(line: ImportedLine) -> bool:
    return line.outcome == StatementOutcome.BOOKED and line.direction == TransferDirection.IN


def _read(data: bytes, filename: str, mapping: Mapping | None, account_number: str) -> Report:
    if mapping is None:
        mapping = preview(data, filename).mapping
    if mapping is None:
        raise Unreadable(
            "headers_unknown",
            _("Which column is what can't be told from the file's words: a mapping is needed."),
        )
    return lines(data, filename, mapping, account_number=account_number)


def _without_the_future(report: Report, at: datetime) -> Report:
    """The report with lines that no bank can have booked yet among its problems."""
    early = [each for each in report.lines if each.line.transferred_at > at + _AHEAD]
    if not early:
        return report
    reason = _("The date is in the future: are day and month the right way around?")
    problems = [*report.problems, *(Problem(each.row, "", reason) for each in early)]
    return replace(
        report,
        lines=tuple(each for each in report.lines if each.line.transferred_at <= at + _AHEAD),
        problems=tuple(sorted(problems, key=lambda each: each.row)),
    )


def _book(
    found: Sequence[StatementLine], owner: Owner, source: dict[str, Any], at: datetime
) -> list[ImportedLine]:
    """What each line is, once those are booked that nobody told."""
    rows = [_row(each, owner, source, at) for each in found]
    if not rows:
        return []
    keys = {row.statement_key for row in rows}
    there = _lines_around(owner.account_number, rows)
    known = {key: pk for pk, key, _text in there if key in keys}
    fresh = [row for row in rows if row.statement_key not in known]
    others = [each for each in there if each[1] not in keys]
    paired = twins([told(row) for row in fresh], [each[2] for each in others])
    outcomes: dict[Any, tuple[StatementOutcome, UUID]] = {
        key: (StatementOutcome.KNOWN, pk) for key, pk in known.items()
    }
    for place, other in paired.items():
        pk, key, _text = others[other]
        outcome = StatementOutcome.TOLD if key is None else StatementOutcome.KNOWN
        outcomes[fresh[place].statement_key] = (outcome, pk)
    _name({pk: key for key, (outcome, pk) in outcomes.items() if outcome == StatementOutcome.TOLD})
    _say_more([(fresh[place], others[other][0]) for place, other in paired.items()])
    new = [row for place, row in enumerate(fresh) if place not in paired]
    _insert(new)
    outcomes |= {row.statement_key: (StatementOutcome.BOOKED, row.pk) for row in new}
    return [
        ImportedLine(each.row, outcome, each.line.amount, each.line.direction, pk)
        for each in found
        for outcome, pk in [outcomes[each.line.provider_id]]
    ]


def _row(found: StatementLine, owner: Owner, source: dict[str, Any], at: datetime) -> BankTransfer:
    raw = {**source, "row": found.row, "cells": dict(found.line.raw)}
    row = row_of(replace(found.line, raw=raw), owner, at)
    row.statement_key = row.provider_id
    if source.get(IMPORTED_ALONE) and row.state == TransferState.RECEIVED:
        row.state, row.reason = TransferState.UNMATCHED, UnmatchedReason.ONLY_STATEMENT
    return row


def _lines_around(
    account_number: str, rows: Sequence[BankTransfer]
) -> list[tuple[UUID, str | None, Told]]:
    """The account's lines of the file's time and some days around: id, statement's name, text."""
    moments = [row.transferred_at for row in rows]
    lines_there = BankTransfer.objects.filter(account_number=account_number).exclude(
        state=TransferState.DUPLICATE
    )
    around = lines_there.filter(transferred_at__range=(min(moments) - SHIFT, max(moments) + SHIFT))
    columns = ("pk", "statement_key", "direction", "amount", "transferred_at", "memo")
    told_of = around.order_by("transferred_at", "pk").values_list(
        *columns, "reference", "balance_after"
    )
    return [(pk, key, Told(*text)) for pk, key, *text in told_of]


def _name(names: dict[UUID, str]) -> None:
    """Notes on lines that a feed told which line of a statement they are."""
    for some in _batches(sorted(names.items())):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE bank_transfers one SET statement_key = named.key"
                " FROM unnest(%s::uuid[], %s::text[]) AS named (id, key) WHERE one.id = named.id",
                [[pk for pk, _key in some], [key for _pk, key in some]],
            )


def _say_more(pairs: Sequence[tuple[BankTransfer, UUID]]) -> None:
    """Keeps, as duplicates, what a statement says of lines for which no order was found."""
    telling = {pk: row for row, pk in pairs if order_codes_in([row.memo])}
    unread = BankTransfer.objects.unmatched().filter(pk__in=list(telling), reason__in=UNREAD)
    for pk in unread.order_by("pk").values_list("pk", flat=True):
        row = telling[pk]
        # The line itself has the statement's name for it.
        row.statement_key, row.duplicate_of_id = None, pk
        row.state, row.reason = TransferState.DUPLICATE, None
        if insert([row]):
            read_again(pk)


def _insert(rows: Sequence[BankTransfer]) -> None:
    for some in _batches(rows):
        if len(insert(some)) < len(some):
            raise RuntimeError("Somebody stored lines of the account without its lock.")
        for row in some:
            if row.state == TransferState.RECEIVED:
                enqueue(SETTLE, transfer_id=str(row.pk))


def _batches(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]


# --- Formats ------------------------------------------------------------------------------------


def save_mapping(*, name: str, mapping: Mapping, actor: str) -> StatementMapping:
    """Keeps a mapping under a name, in place of the one that had it."""
    saved, _new = StatementMapping.objects.update_or_create(
        name=name,
        defaults={"mapping": mapping.to_dict()},
        create_defaults={"mapping": mapping.to_dict(), "created_by": actor},
    )
    return saved


def mapping_named(name: str) -> Mapping:
    """The mapping that was kept under a name. Raises DoesNotExist, and BadMapping."""
    return Mapping.from_dict(StatementMapping.objects.get(name=name).mapping)
