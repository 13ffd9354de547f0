"""Rows as XLSX, written sheet by sheet in constant memory.

By hand rather than by openpyxl, which takes five times as long for the same cells and writes each
sheet to the disk twice. Only texts, whole numbers and moments are needed (ECMA-376, part 1, 18.3).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from kitehub.backoffice.exports.columns import Kind, Prepared
from kitehub.backoffice.exports.rows import Chunk

# Excel's sheets have 1,048,576 rows, and one is for the headings.
MOST_ROWS = 1_048_575
MOST_LETTERS = 32_767
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# Places in the styles below.
_NUMBER, _MOMENT, _HEADING = 1, 2, 3
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="3" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
# What XML cannot hold, and what Excel would read as a code of its own for such a character.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CODE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CLOCK = re.compile(r"(?:1[6-9]|[2-9]\d)\d\d-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


def write(
    file: IO[bytes], *, title: str, columns: Sequence[Prepared], chunks: Iterable[Chunk]
) -> int:
    """Writes the rows into a file and returns how many; those past a sheet's end go to another."""
    source = _Source(chunks)
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as package:
        sheets = 0
        while not sheets or source.more():
            sheets += 1
            with package.open(f"xl/worksheets/sheet{sheets}.xml", "w", force_zip64=True) as sheet:
                _write_sheet(sheet, columns, source)
        for name, text in _parts(title, sheets):
            package.writestr(name, text)
    return source.taken


class _Source:
    """Chunks that may be taken in parts."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._chunks = iter(chunks)
        self._rest: Chunk = []
        self.taken = 0

    def more(self) -> bool:
        """Whether any rows are left."""
        if not (self._rest and self._rest[0]):
            self._rest = next(self._chunks, [])
        return bool(self._rest and self._rest[0])

    def take(self, most: int) -> Iterator[Chunk]:
        """Chunks of so many rows in all, or fewer at the end."""
        while most and self.more():
            part = [values[:most] for values in self._rest]
            self._rest = [values[most:] for values in self._rest]
            most -= len(part[0])
            self.taken += len(part[0])
            yield part


def _write_sheet(sheet: IO[bytes], columns: Sequence[Prepared], source: _Source) -> None:
    widths = "".join(
        f'<col min="{place}" max="{place}" width="{_width(column)}" customWidth="1"/>'
        for place, column in enumerate(columns, 1)
    )
    headings = "".join(_text(column.heading, f' s="{_HEADING}"') for column in columns)
    sheet.write(
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f"</sheetView></sheetViews><cols>{widths}</cols><sheetData><row>{headings}</row>".encode()
    )
    for chunk in source.take(MOST_ROWS):
        cells = [
            [_CELLS[column.kind](value) for value in values]
            for column, values in zip(columns, chunk, strict=True)
        ]
        rows = "</row><row>".join(map("".join, zip(*cells, strict=True)))
        sheet.write(f"<row>{rows}</row>".encode())
    sheet.write(b"</sheetData></worksheet>")


def _width(column: Prepared) -> int:
    least = {Kind.TEXT: 16, Kind.NUMBER: 14, Kind.MOMENT: 20}[column.kind]
    return max(least, min(len(column.heading) + 2, 40))


def _text(value: Any, style: str = "") -> str:
    if value is None or value == "":
        return "<c/>"
    return f'<c{style} t="inlineStr"><is><t xml:space="preserve">{_fit(value)}</t></is></c>'


@lru_cache(maxsize=4_096)
def _fit(text: str) -> str:
    """The text as XML that Excel reads back as it is."""
    if len(text) > MOST_LETTERS:
        text = f"{text[: MOST_LETTERS - 1]}…"
    text = _CODE.sub("_x005F_", _UNFIT.sub("\ufffd", text))
    return escape(text, {"\r": "_x000D_"})


def _number(value: Any) -> str:
    return "<c/>" if value is None else f'<c s="{_NUMBER}"><v>{value}</v></c>'


def _moment(value: Any) -> str:
    """A date as Excel counts, in days; before 1600 and after 9999 a text."""
    if value is None or not _CLOCK.fullmatch(value):
        return _text(value)
    hours, minutes, seconds = int(value[11:13]), int(value[14:16]), int(value[17:])
    part = (hours * 3600 + minutes * 60 + seconds) / 86_400
    return f'<c s="{_MOMENT}"><v>{_day(value[:10]) + part!r}</v></c>'


@lru_cache(maxsize=4_096)
def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - date(1899, 12, 30).toordinal()


_CELLS = {Kind.TEXT: _text, Kind.NUMBER: _number, Kind.MOMENT: _moment}


def _parts(title: str, sheets: int) -> Iterator[tuple[str, str]]:
    """What makes a workbook of the sheets: names, relations, types, styles."""
    numbers = range(1, sheets + 1)
    names = (_sheet_name(title, number, sheets) for number in numbers)
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATED}/worksheet"'
        f' Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml"'
        f' ContentType="{_TYPE}.worksheet+xml"/>'
        for number in numbers
    )
    yield (
        "xl/workbook.xml",
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}"><sheets>{listed}</sheets>'
        "</workbook>",
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{related}'
        f'<Relationship Id="rId{sheets + 1}" Type="{_RELATED}/styles" Target="styles.xml"/>'
        "</Relationships>",
    )
    yield "xl/styles.xml", _STYLES
    yield (
        "_rels/.rels",
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
        f' Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    )
    yield (
        "[Content_Types].xml",
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{types}</Types>',
    )


def _sheet_name(title: str, number: int, sheets: int) -> str:
    """At most 31 characters, none of those that Excel refuses."""
    ending = f" ({number})" if sheets > 1 else ""
    return re.sub(r"[\[\]:*?/\\']", " ", title)[: 31 - len(ending)] + ending
