"""How moments and days come out of PostgreSQL, which knows more of them than Python does.

PostgreSQL's calendar runs from 4713 BC to the year 294276 and ends in `-infinity` and `infinity`;
Python's has the years 1 to 9999, and the last hours of 9999 are over already in Vietnamese time.
What does not fit reads as the nearest moment that does, so that one such row breaks no list. It is
a `Beyond`, which goes back into the database as what it stands for: reading a row and saving it
changes nothing.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Self

from psycopg import DataError
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.postgres import types
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader

EARLIEST = datetime.min.replace(tzinfo=UTC)
# The last moment in Vietnamese time, UTC+7.
LAST_CLOCK = datetime.max.replace(tzinfo=timezone(timedelta(hours=7)))
LATEST = LAST_CLOCK.astimezone(UTC)


class Beyond(datetime):
    """The nearest moment that can be shown, in place of `stored`, which cannot.

    What is computed from one, another zone or a minute later, is a moment like any other.
    """

    stored: str = ""

    @classmethod
    def of(cls, nearest: datetime, stored: str) -> Self:
        """`nearest` in place of `stored`, PostgreSQL's own spelling."""
        moment = cls.combine(nearest.date(), nearest.timetz())
        moment.stored = stored
        return moment

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Copies and pickles also know what is stored."""
        plain = datetime.combine(self.date(), self.timetz())
        return type(self).of, (plain, self.stored)

    def __deepcopy__(self, memo: Any) -> Self:
        return self


class BeyondDumper(Dumper):
    """Writes what a `Beyond` stands for."""

    oid = types["timestamptz"].oid

    def dump(self, obj: Beyond) -> Buffer:
        """PostgreSQL's own spelling, or the moment itself where it was computed."""
        return (obj.stored or str(obj)).encode()


class InstantLoader(TimestamptzLoader):
    """Reads an instant as it is, in UTC; one that Vietnamese time cannot show as a `Beyond`.

    Django's loader writes UTC over the offset that the server sent: after a `SET TIME ZONE` in the
    session each value it reads is off by hours, and saving it stores the shift.
    """

    timezone = UTC  # what Django compares with the connection's zone

    def load(self, data: Buffer) -> datetime:
        """The same instant, with UTC as its zone."""
        try:
            instant = super().load(data).astimezone(self.timezone)
        except (DataError, OverflowError) as error:
            return Beyond.of(EARLIEST if _is_early(data, error) else LATEST, _text(data))
        return instant if instant <= LATEST else Beyond.of(LATEST, _text(data))


class ClockLoader(TimestampLoader):
    """Reads a time on the clock, as `date_trunc` makes it; the nearest one that Python has."""

    def load(self, data: Buffer) -> datetime:
        """A moment without zone."""
        try:
            return super().load(data)
        except DataError as error:
            return (EARLIEST if _is_early(data, error) else LAST_CLOCK).replace(tzinfo=None)


class DayLoader(DateLoader):
    """Reads a day; the nearest one that Python has."""

    def load(self, data: Buffer) -> date:
        """A day."""
        try:
            return super().load(data)
        except DataError as error:
            return date.min if _is_early(data, error) else date.max


def register(adapters: AdaptersMap) -> None:
    """Reads and writes moments in this way on the connections that have these adapters."""
    adapters.register_loader("timestamptz", InstantLoader)
    adapters.register_loader("timestamp", ClockLoader)
    adapters.register_loader("date", DayLoader)
    adapters.register_dumper(Beyond, BeyondDumper)


def _text(data: Buffer) -> str:
    return bytes(data).decode("ascii")


def _is_early(data: Buffer, error: Exception) -> bool:
    """Whether a value that Python lacks is before its calendar rather than after it."""
    text = _text(data)
    # A session's zone may push the first hours of year 1, or the last of 9999, over the edge.
    if text == "-infinity" or text.endswith(" BC") or text.startswith("0001-"):
        return True
    year = text.partition("-")[0]
    if text == "infinity" or year == "9999" or (year.isdecimal() and len(year) > 4):
        return False
    raise error
