"""A statement's file as rows of cells, whatever program wrote it.

Files of other kinds, or made to harm, are refused with a sentence for the person who chose them.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import PurePath

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LARGEST_BYTES = 10 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 100


class Odd(Enum):
    """What a cell holds instead of a value."""

    FORMULA = "a formula that was never computed"
    ERROR = "an error such as #REF!"


Cell = str | int | float | bool | datetime | date | time | timedelta | Odd | None
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a file or of one of its sheets, the first one being row 1.

    `encoding` and `delimiter` are those of a text file, `name` is that of a workbook's sheet.
    """

    rows: tuple[Row, ...]
    name: str = ""
    encoding: str = ""
    delimiter: str = ""


class Unreadable(Exception):
    """A file that is no statement as a whole: `code` is stable, `reason` is for people."""

    def __init__(self, code: str, reason: str | Promise) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return str(self.reason)


_SAVE_AS = _("Open it in Excel and save it as .xlsx.")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_MARKUP = (b"<!doctype", b"<html", b"<table", b"<head", b"<meta", b"<style", b"<?xml")
_MACROS = {".xlsm", ".xltm", ".xlam", ".xlsb"}


def check_kind(data: bytes, filename: str) -> bool:
    """Whether a file is a workbook (True) or text (False), by its content.

    Raises Unreadable for what is neither, is too large, or may hold macros.
    """
    if len(data) > LARGEST_BYTES:
        raise Unreadable("too_large", _("The file is larger than 10 MB. Split it by month."))
    if not data.strip():
        raise Unreadable("empty", _("The file is empty."))
    suffix = PurePath(filename).suffix.lower()
    if suffix in _MACROS:
        raise Unreadable(
            "macros",
            _("Files with macros (%(kind)s) are not taken. Save it as .xlsx.") % {"kind": suffix},
        )
    if data.startswith(_OLD_EXCEL):
        raise Unreadable(
            "old_excel",
            _("This is an old Excel file (.xls) or one with a password. %(advice)s")
            % {"advice": _SAVE_AS},
        )
    if data.startswith(_ZIP):
        return True
    if data.startswith(b"%PDF"):
        raise Unreadable(
            "pdf", _("This is a PDF. Ask the bank's site for the statement as Excel or CSV.")
        )
    start = data[:4096].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith(
        (b"<!doctype", b"<html", b"<table", b"<head", b"<meta", b"<style", b"<?xml")
    ):
        raise Unreadable(
            "html",
            _("This is a web page with the name of an Excel file. %(advice)s")
            % {"advice": _SAVE_AS},
        )
    return False


def too_many_rows() -> Unreadable:
    """What is said of a file with more rows than any statement has."""
    return Unreadable(
        "too_many_rows",
        _("The file has more than %(most)s rows. Split it by month.") % {"most": MOST_ROWS},
    )
