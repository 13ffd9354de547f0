"""Amounts and moments as Vietnamese banks write them into cells."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.feeds.lines import MOST_DONG
from billing.statements.files import Cell, Odd

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
_CURRENCY = re.compile(r"vn[dđ]|[đ₫]|dong|đồng", re.IGNORECASE)
_GROUPED = re.compile(
    r"[1-9][0-9]{0,2}(?:([.,' ])[0-9]{3})(?:\1[0-9]{3})*(?:[.,]([0-9]{1,4}))?", re.ASCII
)
_PLAIN = re.compile(r"[0-9]{1,20}(?:[.,]([0-9]{1,4}))?", re.ASCII)
_DAY = re.compile(r"([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{2,4})", re.ASCII)
_TIME = re.compile(
    r"(?:[T,]|\s|^)\s*([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?\s*([AaPp][Mm])?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)
# Excel counts days from here; the serial numbers are of 2000 to 2099.
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  Excel knows no zones
_EXCEL_DAYS = (36_526, 73_051)


class BadCell(Exception):
    """A cell that holds something else than it has to; `reason` is for people."""

    def __init__(self, reason: str | Promise) -> None:
        super().__init__(reason)
        self.reason = reason


def text_of(cell: Cell) -> str:
    """A cell as a person sees it; a number that is whole without a point."""
    if cell is None or isinstance(cell, Odd):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = unicodedata.normalize("NFC", str(cell)).replace("\x00", "")
    return " ".join(text.split())


def read_amount(cell: Cell) -> int | None:
    """An amount in đồng, below 0 where it is written so; None for a blank cell or a dash.

    Raises BadCell for what isn't one, has a part of a đồng, or more than 13 digits.
    """
    _refuse_odd(cell)
    if isinstance(cell, bool | datetime | date | time | timedelta):
        raise BadCell(_("This is not an amount."))
    if isinstance(cell, int | float):
        return _whole(cell)
    text = unicodedata.normalize("NFKC", cell) if isinstance(cell, str) else ""
    text = _CURRENCY.sub("", text.replace("\u2212", "-")).strip().strip('"').strip()
    if text in ("", "-", "--"):
        return None
    negative = False
    if text.startswith("(") and text.endswith(")"):
        negative, text = True, text[1:-1].strip()
    elif text[0] in "+-":
        negative, text = text[0] == "-", text[1:].strip()
    elif text.endswith("-"):
        negative, text = True, text[:-1].strip()
    number = _written(text)
    return -number if negative else number


def _refuse_odd(cell: Cell) -> None:
    if cell is Odd.FORMULA:
        raise BadCell(_("The cell is a formula without a value. Save the file in Excel first."))
    if cell is Odd.ERROR:
        raise BadCell(_("The cell is an error of Excel."))


def _whole(number: int | float) -> int:
    # Also refuses NaN and what is infinite.
    if not abs(number) <= MOST_DONG:
        raise BadCell(_("The amount has more than 13 digits."))
    if number != int(number):
        raise BadCell(_("The amount has a part of a đồng."))
    return int(number)


def _written(text: str) -> int:
    """Three digits behind a separator are thousands: đồng have no thousandths."""
    found = _GROUPED.fullmatch(text)
    decimals = found[2] if found else None
    if found and decimals and text[-len(decimals) - 1] == found[1]:
        found = None  # 1.234.56 is neither
    if not found:
        found = _PLAIN.fullmatch(text)
        decimals = found[1] if found else None
    if not found:
        raise BadCell(_("This is not an amount."))
    if decimals and decimals.strip("0"):
        raise BadCell(_("The amount has a part of a đồng."))
    whole = text[: -len(decimals) - 1] if decimals else text
    return _whole(int(re.sub(r"[^0-9]", "", whole)))


def read_moment(cell: Cell, *, month_first: bool = False) -> tuple[datetime, bool, str] | None:
    """When a line was, in Vietnamese time; whether the hour is known; what else the cell says.

    None for a blank cell. A day is d/m/Y unless it begins with the year or the month is to come
    first. Some banks write a line's number below its date. Raises BadCell.
    """
    _refuse_odd(cell)
    if isinstance(cell, datetime):
        return _sane(cell), (cell.hour, cell.minute, cell.second) != (0, 0, 0), ""
    if isinstance(cell, date):
        return _sane(datetime.combine(cell, time())), False, ""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if not _EXCEL_DAYS[0] <= cell < _EXCEL_DAYS[1]:
            raise BadCell(_("This is not a date."))
        moment = _EXCEL_EPOCH + timedelta(seconds=round(cell * 86_400))
        return _sane(moment), cell != int(cell), ""
    text = text_of(cell).lstrip("'")
    return _read_text(text, month_first) if text else None


def _read_text(text: str, month_first: bool) -> tuple[datetime, bool, str]:
    """The day may come after the time: 14:02:37 25/03/2023."""
    found = _DAY.search(text)
    hour = _TIME.match(text[found.end() :]) if found else None
    rest = ""
    if found and found.start() == 0:
        rest = text[found.end() + (hour.end() if hour else 0) :].strip(" -\u2013,;")
    elif found:
        hour = _TIME.fullmatch(text[: found.start()].strip(" -,"))
        if not hour:
            found = None
    if not found:
        raise BadCell(_("This is not a date."))
    try:
        moment = datetime.combine(_day(found, month_first), _time(hour))
    except ValueError:
        raise BadCell(_("There is no such day or hour.")) from None
    return _sane(moment), hour is not None, rest


def _day(found: re.Match[str], month_first: bool) -> date:
    first, second, third = (int(each) for each in found.groups())
    if len(found[1]) == 4:
        return date(first, second, third)
    if len(found[3]) == 3:
        raise ValueError
    year = third + 2000 if len(found[3]) == 2 else third
    return date(year, first, second) if month_first else date(year, second, first)


def _time(found: re.Match[str] | None) -> time:
    if not found:
        return time()
    hour = int(found[1])
    if found[4]:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if found[4].lower() == "pm" else 0)
    # A Z is a zone of the ISO's; fromisoformat() reads both.
    zone = datetime.fromisoformat(f"2000-01-01T00:00{found[5]}").tzinfo if found[5] else None
    return time(hour, int(found[2]), int(found[3] or 0), tzinfo=zone)


def _sane(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2099:
        raise BadCell(_("The year is not one of 2000 to 2099."))
    return moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)
