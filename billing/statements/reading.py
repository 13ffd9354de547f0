"""Rows of a statement as lines, each with a key that is the same in every file that has it."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.enums import FeedProvider, TransferDirection
from billing.feeds.lines import Line
from billing.statements.columns import Role, fold
from billing.statements.files import Cell, Odd, Row
from billing.statements.mappings import Mapping, Table
from billing.statements.values import BadCell, read_amount, read_moment, text_of

_LONGEST_MEMO = 2000
_LONGEST_NAME = 100
# Rows of sums and of what was there before. A payer may be called "Cong ty …", so whole words only.
_TOTALS = re.compile(
    r"(tong|cong|tong cong|sum)( [0-9 ]*)?$"
    r"|(tong|cong) (so|phat sinh|ps|ghi|giao dich|tien|no|co)\b|tong cong (so|phat sinh|total)\b"
    r"|(sub ?|grand )?totals?\b|(phat sinh|luy ke) trong ky\b"
    r"|(so )?du (dau|cuoi)\b|(opening|closing|beginning|ending) balance\b"
)
# The row of columns' numbers below the headers: (1) (2) (3).
_NUMBERING = re.compile(r"[(\[]?[0-9]{1,2}[)\]]?", re.ASCII)
SIGNS = {
    "+": 1,
    "-": -1,
    **dict.fromkeys(("c", "cr", "credit", "in", "co", "ghi co", "thu", "tien vao"), 1),
    **dict.fromkeys(("d", "dr", "debit", "out", "no", "ghi no", "chi", "tien ra"), -1),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that could be a line and isn't: its number in the file, its column, and why."""

    row: int
    column: str
    reason: str | Promise

    def __str__(self) -> str:
        where = f"{self.row}, {self.column}" if self.column else str(self.row)
        return f"{where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A line and the row of the file that it stands in."""

    row: int
    line: Line


class _Row:
    """One row below the headers, read by roles; problems name the column as the file does."""

    def __init__(self, number: int, cells: Row, table: Table, mapping: Mapping) -> None:
        self.number = number
        self._cells = cells
        self._texts = [text_of(cell) for cell in cells]
        self._table = table
        self._mapping = mapping
        # The column that money in stands in.
        self.incoming = Role.CREDIT if Role.CREDIT in table.places else Role.AMOUNT

    def cell(self, role: Role) -> Cell:
        place = self._table.places.get(role)
        return None if place is None or place >= len(self._cells) else self._cells[place]

    def text(self, role: Role, longest: int = _LONGEST_NAME) -> str:
        place = self._table.places.get(role)
        return "" if place is None or place >= len(self._texts) else self._texts[place][:longest]

    def name(self, role: Role) -> str:
        place = self._table.places[role]
        headers = self._table.headers
        return (headers[place] if place < len(headers) else "") or f"#{place + 1}"

    def problem(self, role: Role | None, reason: str | Promise) -> Problem:
        return Problem(self.number, self.name(role) if role else "", reason)

    def amount(self, role: Role) -> int:
        try:
            return read_amount(self.cell(role)) or 0
        except BadCell as bad:
            raise _Refused(self.problem(role, bad.reason)) from None

    def moment(self) -> tuple[datetime, bool, str] | None:
        try:
            return read_moment(self.cell(Role.DATE), month_first=self._mapping.month_first)
        except BadCell as bad:
            raise _Refused(self.problem(Role.DATE, bad.reason)) from None

    def is_blank(self) -> bool:
        # A formula without a value has no text and is no blank.
        return not any(self._texts) and not any(isinstance(cell, Odd) for cell in self._cells)

    def is_headers(self) -> bool:
        """Whether it is the headers once more, as on every page, or their numbers."""
        if all(_NUMBERING.fullmatch(text) for text in self._texts if text):
            return True
        return any(self._table.headers) and tuple(self._texts) == self._table.headers

    def is_total(self) -> bool:
        return any(_TOTALS.match(fold(text)) for text in self._texts if text)

    def has_money(self) -> bool:
        """Whether a cell of an amount holds anything that has digits, or isn't a value at all."""
        for role in (Role.CREDIT, Role.DEBIT, Role.AMOUNT):
            cell = self.cell(role)
            if cell is not None and (
                not isinstance(cell, str) or any(letter.isdigit() for letter in cell)
            ):
                return True
        return False

    def raw(self) -> dict[str, str]:
        """The cells by their headers, those without one by their number."""
        headers = self._table.headers
        named = {}
        for place, text in enumerate(self._texts):
            if text:
                header = headers[place] if place < len(headers) else ""
                named[header if header and header not in named else f"#{place + 1}"] = text
        return named


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def read_rows(
    table: Table, mapping: Mapping, *, account_number: str, bank: str
) -> Iterator[StatementLine | Problem]:
    """Every row that is a line, or that ought to be one; sums, notes and blank rows are neither."""
    seen: Counter[tuple[object, ...]] = Counter()
    for number, cells in table.numbered_rows():
        row = _Row(number, cells, table, mapping)
        try:
            line = _line(row, account_number=account_number, bank=bank)
        except _Refused as refused:
            yield refused.problem
            continue
        if line is not None:
            yield StatementLine(number, _keyed(line, seen))


def _line(row: _Row, *, account_number: str, bank: str) -> Line | None:
    if row.is_blank() or row.is_headers():
        return None
    if not row.has_money():
        _check_is_note(row)
        return None
    try:
        found = row.moment()
    except _Refused:
        if row.is_total():
            return None
        raise
    if found is None:
        if row.is_total():
            return None
        raise _Refused(row.problem(Role.DATE, _("The row has money but no date.")))
    moment, has_time, beside_date = found
    direction, amount = _money(row)
    if amount == 0:
        if row.is_total():
            return None
        raise _Refused(row.problem(row.incoming, _("The amount is 0.")))
    balance = row.amount(Role.BALANCE) if row.text(Role.BALANCE) else None
    return Line(
        provider=FeedProvider.STATEMENT,
        provider_id="",
        account_number=account_number,
        bank=bank,
        direction=direction,
        amount=amount,
        memo=row.text(Role.MEMO, _LONGEST_MEMO),
        counterparty_name=row.text(Role.COUNTERPARTY_NAME, 200),
        counterparty_account=row.text(Role.COUNTERPARTY_ACCOUNT, 50),
        counterparty_bank=row.text(Role.COUNTERPARTY_BANK),
        reference=row.text(Role.REFERENCE) or beside_date[:_LONGEST_NAME],
        transferred_at=moment,
        has_time=has_time,
        balance_after=balance,
        raw=row.raw(),
    )


def _check_is_note(row: _Row) -> None:
    """A row without money is a note, unless it has a date like a line, and more than that."""
    if row.is_total() or len(row.raw()) < 2:
        return
    try:
        found = row.moment()
    except _Refused:
        return
    if found is not None:
        raise _Refused(row.problem(row.incoming, _("The row has a date but no amount.")))


def _money(row: _Row) -> tuple[TransferDirection, int]:
    """Which way a row's money went, and how much, in đồng."""
    amount, credit, debit = (row.amount(each) for each in (Role.AMOUNT, Role.CREDIT, Role.DEBIT))
    if amount:
        return _signed(row, amount)
    # Some banks write what went out below 0; a credit below 0 takes back an earlier one.
    debit = abs(debit) if not credit else debit
    if credit and debit:
        raise _Refused(row.problem(Role.CREDIT, _("The row has money both in and out.")))
    if credit < 0:
        return TransferDirection.OUT, -credit
    return (TransferDirection.IN, credit) if credit else (TransferDirection.OUT, debit)


def _signed(row: _Row, amount: int) -> tuple[TransferDirection, int]:
    sign = 1 if amount > 0 else -1
    written = row.text(Role.SIGN)
    if written:
        named = SIGNS.get(written) or SIGNS.get(fold(written))
        if named is None:
            raise _Refused(row.problem(Role.SIGN, _("This tells neither in nor out.")))
        sign = named
    return TransferDirection.IN if sign > 0 else TransferDirection.OUT, abs(amount)


def _keyed(line: Line, seen: Counter[tuple[object, ...]]) -> Line:
    """The line under a name of its own: the bank's, or all that it says.

    Lines that say the same are told apart by how many came before, so that two genuine ones stay
    two, and are the same two in every file that holds the whole day.
    """
    if line.reference:
        # Some banks begin to number anew.
        day = line.transferred_at.date().isoformat()
        said: tuple[object, ...] = (day, fold(line.reference), line.amount, line.direction.value)
    else:
        said = (
            line.transferred_at.isoformat(),
            line.amount,
            line.direction.value,
            line.balance_after,
            fold(line.memo),
        )
    seen[said] += 1
    text = "\x1f".join(str(each) for each in (*said, seen[said]))
    return replace(line, provider_id=hashlib.sha256(text.encode()).hexdigest()[:40])
