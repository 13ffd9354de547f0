"""CSV in the encodings and with the delimiters that banks and Excel write."""

import codecs
import csv
import io
import unicodedata
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from billing.statements.files import MOST_COLUMNS, MOST_ROWS, Sheet, Unreadable, too_many_rows

DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1258", "cp1252")
# Windows's for Vietnamese, then its for western Europe: each takes nearly any bytes.
_GUESSES = ("cp1258", "cp1252")
# The longest field by far is a memo.
_LONGEST_FIELD = 131_072


def text_sheets(data: bytes, *, encoding: str = "", delimiter: str = "") -> Iterator[Sheet]:
    """A text file in every encoding that it may be in, with every delimiter that may be its.

    Given an encoding or a delimiter, only with those. Raises Unreadable where no encoding fits.
    """
    for name in [encoding] if encoding else _encodings(data):
        try:
            text = unicodedata.normalize("NFC", data.decode(name))
        except UnicodeDecodeError:
            if not encoding:
                continue
            raise _wrong_encoding(name) from None
        if text.count("\x00") > 0:
            raise Unreadable("binary", _("This is neither a CSV nor an Excel file."))
        text = text.removeprefix("\ufeff")
        for each in [delimiter] if delimiter else DELIMITERS:
            if delimiter or each in text:
                yield Sheet(rows=_rows(text, each), encoding=name, delimiter=each)


def _encodings(data: bytes) -> tuple[str, ...]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    # In UTF-16 every second byte of a digit or a comma is 0.
    start = data[:2000]
    if start[1::2].count(0) > len(start) // 8:
        return ("utf-16-le",)
    if start[::2].count(0) > len(start) // 8:
        return ("utf-16-be",)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        if data.startswith(codecs.BOM_UTF8):
            raise _wrong_encoding("utf-8") from None
        return _GUESSES
    return ("utf-8-sig",) if data.startswith(codecs.BOM_UTF8) else ("utf-8",)


def _wrong_encoding(name: str) -> Unreadable:
    return Unreadable(
        "wrong_encoding",
        _("The text is not in %(encoding)s. Save the file as “CSV UTF-8”.")
        % {"encoding": name.upper()},
    )


def _rows(text: str, delimiter: str) -> tuple[tuple[str, ...], ...]:
    rows: list[tuple[str, ...]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            rows.append(tuple(row[:MOST_COLUMNS]))
            if len(rows) > MOST_ROWS:
                raise too_many_rows()
    except csv.Error:
        raise Unreadable(
            "broken_csv",
            _("Row %(row)s can't be read: a quotation mark is missing or a field is too long.")
            % {"row": len(rows) + 1},
        ) from None
    return tuple(rows)
