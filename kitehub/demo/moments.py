"""Moments in Vietnamese time: calendar months, days and hours."""

import calendar
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
# When people are up and about: the first hour and the one after the last.
DAY = range(7, 23)


def months_after(anchor: datetime, months: int) -> datetime:
    """The same day so many months later, or the last of a shorter month (31 Jan, 28 Feb, 31 Mar).

    Always counted from the anchor: counted month by month, a 31st would stay a 28th for ever.
    """
    local = anchor.astimezone(VIETNAM)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)


def midnight(moment: datetime, *, days_before: int = 0) -> datetime:
    """The start of that Vietnamese day, or of one so many days before."""
    local = moment.astimezone(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
    return local - timedelta(days=days_before)


def at_hour(moment: datetime, hour: int, minute: int, *, days_before: int = 0) -> datetime:
    """A time of day on that Vietnamese day, or on one so many days before."""
    return midnight(moment, days_before=days_before) + timedelta(hours=hour, minutes=minute)


def awake(moment: datetime) -> bool:
    """Whether it is day in Vietnam."""
    return moment.astimezone(VIETNAM).hour in DAY


def by_day(start: datetime, end: datetime, rng: Random) -> datetime:
    """A whole second from `start` to `end`; by day, unless that span has hardly any."""
    seconds = int((end - start).total_seconds())
    draws = (start + timedelta(seconds=rng.randint(0, seconds)) for _ in range(40))
    return next(filter(awake, draws), start)
