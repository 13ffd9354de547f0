"""Rows as XLSX, written sheet by sheet in constant memory."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from kitehub.backoffice.exports.columns import Kind, Prepared
from kitehub.backoffice.exports.rows import Chunk

# Excel's sheets have 1,048,576 rows, and one is for the headings.
MOST_ROWS = 1_048_575
MOST_LETTERS = 32_767
FORMATS = {Kind.TEXT: "@", Kind.NUMBER: "#,##0", Kind.MOMENT: "dd/mm/yyyy hh:mm:ss"}
# What XML cannot hold, and what Excel would read as a code of its own for such a character
# (ECMA-376, part 1, 22.9.2.19).
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CODE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
# Dates as spreadsheets count them begin in 1900.
_CLOCK = re.compile(r"(?:19|[2-9]\d)\d\d-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


def write(
    file: IO[bytes], *, title: str, columns: Sequence[Prepared], chunks: Iterable[Chunk]
) -> int:
    """Writes the rows into a file and returns how many; those past a sheet's end go to another."""
    workbook: Any = Workbook(write_only=True)
    count = 0
    sheet: Any = None
    cells: list[Any] = []
    for chunk in chunks:
        for row in zip(*chunk, strict=True):
            if sheet is None or count % MOST_ROWS == 0:
                sheet, cells = _sheet(workbook, columns)
            _fill(cells, row)
            sheet.append(cells)
            count += 1
    if sheet is None:
        _sheet(workbook, columns)
    for number, each in enumerate(workbook.worksheets, 1):
        each.title = _sheet_name(title, number, len(workbook.worksheets))
    workbook.save(file)
    return count


def _sheet(workbook: Any, columns: Sequence[Prepared]) -> tuple[Any, list[Any]]:
    """A new sheet with its headings, and a cell for each column, which every row fills anew."""
    sheet = workbook.create_sheet()
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(place)].width = _width(column)
    headings = [WriteOnlyCell(sheet, _fit(column.heading)) for column in columns]
    for heading in headings:
        heading.font = Font(bold=True)
    sheet.append(headings)
    cells = [WriteOnlyCell(sheet) for _column in columns]
    for cell, column in zip(cells, columns, strict=True):
        cell.number_format = FORMATS[column.kind]
    return sheet, cells


def _fill(cells: Iterable[Any], row: Iterable[Any]) -> None:
    for cell, value in zip(cells, row, strict=True):
        if not isinstance(value, str):
            cell.value = value
        elif cell.number_format == FORMATS[Kind.MOMENT] and _CLOCK.fullmatch(value):
            cell.value = datetime.fromisoformat(value)
        else:
            cell.value = _fit(value)
            cell.data_type = "s"  # never a formula, whatever it begins with


def _width(column: Prepared) -> int:
    least = {Kind.TEXT: 16, Kind.NUMBER: 14, Kind.MOMENT: 20}[column.kind]
    return max(least, min(len(column.heading) + 2, 40))


@lru_cache(maxsize=4_096)
def _fit(text: str) -> str:
    """The text as Excel reads it back as it is."""
    if len(text) > MOST_LETTERS:
        text = f"{text[: MOST_LETTERS - 1]}…"
    return _CODE.sub("_x005F_", _UNFIT.sub("\ufffd", text)).replace("\r", "_x000D_")


def _sheet_name(title: str, number: int, sheets: int) -> str:
    """At most 31 characters, none of those that Excel refuses."""
    ending = f" ({number})" if sheets > 1 else ""
    return re.sub(r"[\[\]:*?/\\']", " ", title)[: 31 - len(ending)] + ending
