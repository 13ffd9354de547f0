"""Bank statements, CSV and XLSX, as lines of an account. No database.

`preview` guesses how a file is to be read and shows what would come of it, `lines` reads it.
"""

import re
from dataclasses import dataclass, field, replace
from itertools import islice

from django.utils.translation import gettext_lazy as _

from billing.statements.columns import PREAMBLE_ROWS, Role, fold
from billing.statements.files import Sheet, Unreadable
from billing.statements.mappings import BadMapping, Mapping, Table, guessed, table_by
from billing.statements.opening import sheets
from billing.statements.reading import SIGNS, Problem, StatementLine, read_rows
from billing.statements.values import text_of

__all__ = [
    "BadMapping",
    "Mapping",
    "Preview",
    "Problem",
    "Report",
    "Role",
    "StatementLine",
    "Unreadable",
    "lines",
    "preview",
]

# How much of a file a preview shows.
SHOWN = 20
_SHOWN_ROWS = 20
_ACCOUNT = re.compile(
    r"(?:so tai khoan|so tk|tai khoan so|account number|account no|account|tai khoan)\b"
    r"[^0-9]{0,40}([0-9]{6,19})\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is in a file: its lines, and the rows that could be lines and aren't.

    `account_number` is the one above the table, empty where none is named there.
    """

    lines: tuple[StatementLine, ...]
    problems: tuple[Problem, ...]
    account_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How a file would be read: the mapping, how sure it is, and the first lines and problems.

    Without a mapping (None) the file's own words tell too little; `rows` are its first ones, read
    by `encoding` and `delimiter`, for somebody to say which column is what. `confidence` goes from
    0 to 1, by role.
    """

    mapping: Mapping | None
    confidence: dict[Role, float] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    header_row: int = 0
    rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[StatementLine, ...] = ()
    line_count: int = 0
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    account_number: str = ""
    encoding: str = ""
    delimiter: str = ""


def preview(data: bytes, filename: str, mapping: Mapping | None = None) -> Preview:
    """What would come of a file, by a mapping or by a guess. Raises Unreadable for no statement."""
    if mapping is not None:
        return _shown(_table(data, filename, mapping), mapping)
    best: tuple[float, Mapping, Table, dict[Role, float]] | None = None
    widest: Sheet | None = None
    for sheet in sheets(data, filename):
        if widest is None or _width(sheet) > _width(widest):
            widest = sheet
        found = guessed(sheet)
        if found and (best is None or found[1].score > best[0]):
            best = (found[1].score, found[0], found[2], dict(found[1].confidence))
    if best is None:
        return _unknown(widest)
    _score, mapping, table, confidence = best
    mapping, table = _without_useless_sign(table, mapping)
    return _shown(table, _with_order_of_dates(table, mapping), confidence)


def lines(
    data: bytes, filename: str, mapping: Mapping, *, account_number: str = "", bank: str = ""
) -> Report:
    """All lines of a file, and the problems row by row.

    The account is the one given, else the one named above the table. Raises Unreadable for a file
    that the mapping doesn't fit, or that is no statement.
    """
    return _report(_table(data, filename, mapping), mapping, account_number, bank)


def _table(data: bytes, filename: str, mapping: Mapping) -> Table:
    found_any = False
    for sheet in sheets(data, filename, encoding=mapping.encoding, delimiter=mapping.delimiter):
        found_any = True
        table = table_by(mapping, sheet)
        if table is not None:
            return table
    if not found_any:
        raise Unreadable("no_columns", _("The file has no columns."))
    raise Unreadable(
        "headers_missing",
        _("The file has no row with these headers: %(headers)s.")
        % {"headers": ", ".join(mapping.columns.values())},
    )


def _report(table: Table, mapping: Mapping, account_number: str = "", bank: str = "") -> Report:
    named = _account_named(table)
    read: list[StatementLine] = []
    problems: list[Problem] = []
    for each in read_rows(table, mapping, account_number=account_number or named, bank=bank):
        if isinstance(each, Problem):
            problems.append(each)
        else:
            read.append(each)
    return Report(lines=tuple(read), problems=tuple(problems), account_number=named)


def _account_named(table: Table) -> str:
    """The account that the rows above the headers name, with its leading zeros."""
    for row in table.sheet.rows[: max(table.header_place, 0)]:
        found = _ACCOUNT.search(" ".join(fold(text_of(cell)) for cell in row))
        if found:
            return found[1]
    return ""


def _without_useless_sign(table: Table, mapping: Mapping) -> tuple[Mapping, Table]:
    """Without the column of in and out where it says other things, as "transaction type" may."""
    place = table.places.get(Role.SIGN)
    if place is None:
        return mapping, table
    texts = {text_of(row[place]) for _number, row in table.numbered_rows() if place < len(row)}
    if all(text in SIGNS or fold(text) in SIGNS for text in texts if text):
        return mapping, table
    columns, places = dict(mapping.columns), dict(table.places)
    del columns[Role.SIGN], places[Role.SIGN]
    return replace(mapping, columns=columns), replace(table, places=places)


def _with_order_of_dates(table: Table, mapping: Mapping) -> Mapping:
    """The mapping with the month first where only that makes dates of all the first rows."""
    some = replace(table, sheet=replace(table.sheet, rows=table.sheet.rows[:1000]))
    other = replace(mapping, month_first=True)
    column = next((h for r, h in mapping.columns.items() if r is Role.DATE), "")

    def faults(reading: Mapping) -> int:
        return sum(1 for each in _report(some, reading).problems if each.column == column)

    return other if faults(mapping) and not faults(other) else mapping


def _shown(table: Table, mapping: Mapping, confidence: dict[Role, float] | None = None) -> Preview:
    report = _report(table, mapping)
    return Preview(
        mapping=mapping,
        confidence=confidence or dict.fromkeys(mapping.columns, 1.0),
        headers=table.headers,
        header_row=table.header_place + 1,
        rows=_texts(table.sheet),
        lines=report.lines[:SHOWN],
        line_count=len(report.lines),
        problems=report.problems[:SHOWN],
        problem_count=len(report.problems),
        account_number=report.account_number,
    )


def _unknown(sheet: Sheet | None) -> Preview:
    """Of a file whose words tell too little, its first rows."""
    if sheet is None:
        return Preview(mapping=None)
    return Preview(
        mapping=None, rows=_texts(sheet), encoding=sheet.encoding, delimiter=sheet.delimiter
    )


def _width(sheet: Sheet) -> int:
    """How many columns most of a sheet's first rows have: the wrong delimiter makes few."""
    widths = sorted(len(row) for row in sheet.rows[:PREAMBLE_ROWS] if any(row))
    return widths[len(widths) // 2] if widths else 0


def _texts(sheet: Sheet) -> tuple[tuple[str, ...], ...]:
    rows = islice(sheet.rows, _SHOWN_ROWS + PREAMBLE_ROWS)
    return tuple(tuple(text_of(cell) for cell in row) for row in rows if any(row))[:_SHOWN_ROWS]
