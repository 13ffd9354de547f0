"""Rows as CSV that Excel reads as it stands, and that calculates nothing."""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

from kitehub.backoffice.exports.columns import Kind, Prepared
from kitehub.backoffice.exports.rows import Chunk

# Without it Excel takes UTF-8 for the machine's old code page.
MARK = "\ufeff"
# A spreadsheet takes a cell that begins with one of these for a formula, or skips it to find one.
FORMULA = frozenset("=+-@|%\t\r\n ＝＋－＠")
# Where `;` separates lists, as in Vietnam's Excel, quotes are of no avail: the text itself is split
# there, at tabs where somebody imports it so, and at the ends of lines with either. A quote at the
# beginning of such a part is doubled, which is an empty cell with the rest behind it.
_INSIDE = re.compile(r"(?<=[;\t\r\n])(?=[ \"]*[=+\-@|%＝＋－＠])")


def head(columns: Sequence[Prepared]) -> bytes:
    """The mark and the headings."""
    return (MARK + _lines([[column.heading for column in columns]])).encode()


def lines(columns: Sequence[Prepared], chunk: Chunk) -> bytes:
    """A chunk's lines."""
    cells = [
        values if column.kind is Kind.NUMBER else [inert(text) for text in values]
        for column, values in zip(columns, chunk, strict=True)
    ]
    return _lines(zip(*cells, strict=True)).encode()


def inert(text: str | None) -> str | None:
    """The text, with an apostrophe in front of whatever a spreadsheet would calculate."""
    if not text:
        return text
    inside = _INSIDE.sub("'", text)
    return f"'{inside}" if text.lstrip('"')[:1] in FORMULA else inside


def alone(text: str) -> bytes:
    """A line with a single cell."""
    return _lines([[text]]).encode()


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    written = StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue()
