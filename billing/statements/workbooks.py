"""Excel workbooks (.xlsx): values only, nothing executed, nothing fetched, bounded memory."""

import re
import warnings
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from openpyxl import load_workbook

from billing.statements.files import (
    MOST_COLUMNS,
    MOST_ROWS,
    Cell,
    Odd,
    Row,
    Sheet,
    Unreadable,
    too_many_rows,
)

# 200,000 rows of a statement take about 80 MB of XML; a bomb of 10 MB may take 10 GB.
MOST_UNPACKED_BYTES = 100 * 1024 * 1024
MOST_MEMBERS = 1000
MOST_SHEETS = 20
MOST_CELLS = 20 * MOST_ROWS
_ERRORS = {"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"}
_FORMULA = re.compile(rb"<(?:[A-Za-z0-9]+:)?f[ />]")
_SHEET_FILE = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)


def workbook_sheets(file: IO[bytes]) -> Iterator[Sheet]:
    """The sheets that can be seen, in their order. Raises Unreadable."""
    try:
        formulas = _check_archive(file)
        yield from _sheets(file, formulas)
    except Unreadable:
        raise
    except (MemoryError, RecursionError):
        raise _damaged() from None
    except Exception as error:
        # openpyxl raises whatever the first thing it can't do happens to raise.
        raise _damaged() from error


def _damaged() -> Unreadable:
    return Unreadable(
        "damaged",
        _("The Excel file is damaged. Open it in Excel and save it anew, or download it again."),
    )


def _check_archive(file: IO[bytes]) -> bool:
    """Whether any sheet has formulas; refuses what isn't a plain workbook of a sane size."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        # zipfile reads no member beyond the size that it claims.
        if (
            len(members) > MOST_MEMBERS
            or sum(each.file_size for each in members) > MOST_UNPACKED_BYTES
        ):
            raise Unreadable(
                "too_large_unpacked", _("The Excel file is too large once it is unpacked.")
            )
        names = {each.filename.lower() for each in members}
        if any(name.endswith("vbaproject.bin") for name in names):
            raise Unreadable("macros", _("The Excel file has macros. Save it as .xlsx."))
        if "xl/workbook.xml" not in names:
            raise Unreadable("no_workbook", _("This is a ZIP file, not an Excel file."))
        return any(
            _has_formula(archive, each) for each in members if _SHEET_FILE.fullmatch(each.filename)
        )


def _has_formula(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    tail = b""
    with archive.open(member) as content:
        while chunk := content.read(1 << 20):
            if _FORMULA.search(tail + chunk):
                return True
            tail = chunk[-64:]
    return False


def _sheets(file: IO[bytes], formulas: bool) -> Iterator[Sheet]:
    values = _open(file, data_only=True)
    written = _open(file, data_only=False) if formulas else None
    try:
        for sheet in islice(values.worksheets, MOST_SHEETS):
            if sheet.sheet_state != "visible":
                continue
            rows = _rows(sheet)
            if written is not None:
                rows = _marked(rows, _rows(written[sheet.title]))
            yield Sheet(rows=tuple(_bounded(rows)), name=sheet.title)
    finally:
        values.close()
        if written is not None:
            written.close()


def _open(file: IO[bytes], *, data_only: bool) -> Any:
    with warnings.catch_warnings():
        # Of styles that are missing, as in files that banks' programs write.
        warnings.simplefilter("ignore")
        return load_workbook(file, read_only=True, data_only=data_only, keep_links=False)


def _rows(sheet: Any) -> Iterator[Row]:
    # What the file says of its own size may be wrong either way.
    sheet.reset_dimensions()
    for row in sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True):
        last = next((i for i in range(len(row), 0, -1) if row[i - 1] is not None), 0)
        yield tuple(_clean(value) for value in row[:last])


def _clean(value: Any) -> Cell:
    if isinstance(value, str):
        if value in _ERRORS:
            return Odd.ERROR
        return value.replace("_x000D_", "")
    return value  # type: ignore[no-any-return]


def _marked(values: Iterator[Row], written: Iterator[Row]) -> Iterator[Row]:
    """Rows in which a formula that has no value is said to be one, not a blank cell."""
    for row, source in zip(values, written, strict=False):
        cells = list(row) + [None] * (len(source) - len(row))
        for number, cell in enumerate(source):
            is_formula = (isinstance(cell, str) and cell.startswith("=")) or _is_formula(cell)
            if is_formula and cells[number] is None:
                cells[number] = Odd.FORMULA
        yield tuple(cells)


def _is_formula(cell: object) -> bool:
    """Whether it is one of those that openpyxl keeps as objects: of arrays, of data tables."""
    return type(cell).__module__.startswith("openpyxl.")


def _bounded(rows: Iterator[Row]) -> Iterator[Row]:
    cells = 0
    for number, row in enumerate(rows):
        cells += len(row)
        if number >= MOST_ROWS or cells > MOST_CELLS:
            raise too_many_rows()
        yield row
