"""Calendar months in Vietnam, counted from an anchor: 31 January, 28 February, 31 March."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
# That one order buys.
MOST_MONTHS = 36
_TICK = timedelta(microseconds=1)


def add_months(anchor: datetime, months: int) -> datetime:
    """The anchor's day and time of day in Vietnam, so many months later, as UTC.

    The last day of the month where it has no such day. Count from the anchor rather than from the
    last result: 31 January plus two is 31 March, but 28 February plus one is 28 March.
    """
    local = anchor.astimezone(HANOI)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(UTC)


def months_between(start: datetime, end: datetime, *, anchor: datetime) -> Fraction:
    """How many months of an anchor's calendar lie between two moments, exactly."""
    return _position(end, anchor) - _position(start, anchor)


def _position(moment: datetime, anchor: datetime) -> Fraction:
    here, there = moment.astimezone(HANOI), anchor.astimezone(HANOI)
    whole = (here.year - there.year) * 12 + here.month - there.month
    if add_months(anchor, whole) > moment:
        whole -= 1
    begins, ends = add_months(anchor, whole), add_months(anchor, whole + 1)
    return whole + Fraction((moment - begins) // _TICK, (ends - begins) // _TICK)
