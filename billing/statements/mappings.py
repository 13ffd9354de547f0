"""How a bank writes its statements: which column is what. Can be saved and used again."""

import re
from collections.abc import Mapping as ReadOnly
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.statements.columns import PREAMBLE_ROWS, Guess, Role, find_headers, fold
from billing.statements.files import MOST_COLUMNS, Row, Sheet
from billing.statements.text_files import DELIMITERS, ENCODINGS
from billing.statements.values import text_of

_NUMBER = re.compile(r"#([1-9][0-9]?|100)", re.ASCII)
_LONGEST_HEADER = 200


class BadMapping(Exception):
    """A mapping that can't be one: which field of it, and why."""

    def __init__(self, field: str, reason: str | Promise) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Which column is what, by its header, so that a statement with another preamble fits too.

    A column is named by its header, accents and case aside, or by its number: `#3`. Text files
    are read in `encoding` with `delimiter`, guessed where those are empty. Dates are d/m/Y, or
    m/d/Y with `month_first`. Raises BadMapping.
    """

    columns: ReadOnly[Role, str]
    encoding: str = ""
    delimiter: str = ""
    month_first: bool = False
    _places: dict[Role, int] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for role, header in self.columns.items():
            if not isinstance(header, str) or not 0 < len(header) <= _LONGEST_HEADER:
                raise BadMapping(f"columns.{role}", _("Name a column by its header or as #3."))
            numbered = re.fullmatch(r"#[0-9]+", header)
            if not (_NUMBER.fullmatch(header) if numbered else fold(header)):
                raise BadMapping(f"columns.{role}", _("Name a column by its header or as #3."))
        if Role.DATE not in self.columns:
            raise BadMapping("columns.date", _("The column of the date is missing."))
        if not (Role.CREDIT in self.columns or Role.AMOUNT in self.columns):
            raise BadMapping("columns.credit", _("The column of the money in is missing."))
        if self.encoding not in ("", *ENCODINGS):
            raise BadMapping("encoding", _("This encoding is not known."))
        if self.delimiter not in ("", *DELIMITERS):
            raise BadMapping("delimiter", _("Columns are apart by , ; | or a tab."))

    def to_dict(self) -> dict[str, Any]:
        """The mapping as JSON keeps it."""
        return {
            "columns": {role.value: header for role, header in self.columns.items()},
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "month_first": self.month_first,
        }

    @classmethod
    def from_dict(cls, saved: Any) -> Self:
        """The mapping that `to_dict` wrote, or somebody by hand. Raises BadMapping."""
        if not isinstance(saved, dict) or not isinstance(saved.get("columns"), dict):
            raise BadMapping("columns", _("This is no mapping of columns."))
        unknown = saved.keys() - {"columns", "encoding", "delimiter", "month_first"}
        if unknown:
            raise BadMapping(str(min(unknown)), _("There is no such field."))
        columns = {}
        for name, header in saved["columns"].items():
            if name not in {role.value for role in Role}:
                raise BadMapping(f"columns.{name}", _("There is no such field."))
            columns[Role(name)] = header
        for name, kind in (("encoding", str), ("delimiter", str), ("month_first", bool)):
            if not isinstance(saved.get(name, kind()), kind):
                raise BadMapping(name, _("This value is of the wrong kind."))
        return cls(
            columns=columns,
            encoding=saved.get("encoding", ""),
            delimiter=saved.get("delimiter", ""),
            month_first=saved.get("month_first", False),
        )

    def places(self, headers: Sequence[str]) -> dict[Role, int] | None:
        """Which column each role has below these headers; None where one isn't there."""
        folded = [fold(header) for header in headers]
        places = {}
        for role, header in self.columns.items():
            number = _NUMBER.fullmatch(header)
            if number:
                places[role] = int(number[1]) - 1
            elif fold(header) in folded:
                places[role] = folded.index(fold(header))
            else:
                return None
        return places


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet whose columns are known: lines stand below the row of headers."""

    sheet: Sheet
    # Of the row of headers, from 0; -1 where there is none.
    header_place: int
    headers: tuple[str, ...]
    places: ReadOnly[Role, int]

    def numbered_rows(self) -> list[tuple[int, Row]]:
        """The rows below the headers with their numbers, as a spreadsheet counts them."""
        first = self.header_place + 1
        return list(enumerate(self.sheet.rows[first:], start=first + 1))


def table_by(mapping: Mapping, sheet: Sheet) -> Table | None:
    """A sheet as a mapping reads it; None where it lacks a column that the mapping names."""
    if all(_NUMBER.fullmatch(header) for header in mapping.columns.values()):
        numbered = mapping.places([]) or {}
        wide = max((len(row) for row in sheet.rows), default=0)
        return Table(sheet, -1, (), numbered) if max(numbered.values()) < wide else None
    for place, row in enumerate(sheet.rows[:PREAMBLE_ROWS]):
        headers = tuple(text_of(cell) for cell in row)
        places = mapping.places(headers)
        if places is not None:
            return Table(sheet, place, headers, places)
    return None


def guessed(sheet: Sheet) -> tuple[Mapping, Guess, Table] | None:
    """The mapping that a sheet's own words tell; None where they don't."""
    found = find_headers(sheet.rows)
    if found is None:
        return None
    place, guess = found
    headers = tuple(text_of(cell) for cell in sheet.rows[place])
    names = [fold(header) for header in headers]
    columns = {
        # Of two columns with one header only a number tells which is meant.
        role: headers[at] if names.index(names[at]) == at else f"#{at + 1}"
        for role, at in guess.places.items()
        if at < MOST_COLUMNS
    }
    mapping = Mapping(
        columns={role: header[:_LONGEST_HEADER] for role, header in columns.items()},
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
    )
    return mapping, guess, Table(sheet, place, headers, guess.places)
