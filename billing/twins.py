"""Which bank lines, told by different sources, are one and the same.

Two services, or a service and a statement, give one line different ids. The bank's reference names
it, where both tell it; else what it says does. Genuine lines that say the same are told apart by
their number: each line has at most one twin in another source.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from billing.plain_text import fold

_VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
# A weekend, or a holiday: statements have the day on which the bank booked.
SHIFT = timedelta(days=4)
# Cash is on no account, so no line of a bank is its twin.
CASH_ACCOUNT = "CASH"
# But it may be carried to a bank, whose line tells it again: so much later, over a long holiday.
CARRIED = timedelta(days=10)
# A shorter memo stands by accident in another one.
_SHORTEST_PART = 8


@dataclass(frozen=True)
class Told:
    """What is compared of a line. Amount in đồng."""

    direction: str
    amount: int
    at: datetime
    memo: str = ""
    reference: str = ""
    balance_after: int | None = None

    @cached_property
    def day(self) -> date:
        """The day in Vietnam."""
        return self.at.astimezone(_VIETNAM).date()

    @cached_property
    def words(self) -> str:
        """The memo without all that banks change."""
        return fold(self.memo).replace(" ", "")

    @cached_property
    def name(self) -> str:
        """The reference, likewise."""
        return fold(self.reference).replace(" ", "")


Key = Callable[[Told], Hashable | None]


def _by_reference(line: Told) -> Hashable | None:
    return (line.direction, line.amount, line.name) if line.name else None


def _by_balance(line: Told) -> Hashable | None:
    if line.balance_after is None:
        return None
    return line.direction, line.amount, line.day, line.balance_after


def _by_memo(line: Told) -> Hashable | None:
    return (line.direction, line.amount, line.day, line.words) if line.words else None


def _by_day(line: Told) -> Hashable | None:
    return line.direction, line.amount, line.day


def twins(lines: Sequence[Told], others: Sequence[Told]) -> dict[int, int]:
    """For each line that has a twin among the others: its place, and that of the twin.

    The surest come first: by reference, within a few days, as banks book later than they transfer;
    then, on the same day, by the balance after, by the memo, and by a memo that is a part of the
    other. Of several the nearest in time.
    """
    found: dict[int, int] = {}
    taken: set[int] = set()
    for key, fits in (
        (_by_reference, _near),
        (_by_balance, _always),
        (_by_memo, _always),
        (_by_day, _contained),
    ):
        places = _grouped(key, others)
        for place, line in enumerate(lines):
            if place in found:
                continue
            known_by = key(line)
            free = (
                (abs(others[other].at - line.at), other)
                for other in places.get(known_by, ())
                if other not in taken and fits(line, others[other])
            )
            if known_by is not None and (nearest := min(free, default=None)):
                found[place] = nearest[1]
                taken.add(nearest[1])
    return found


def _grouped(key: Key, lines: Iterable[Told]) -> Mapping[Hashable, list[int]]:
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        if (known_by := key(line)) is not None:
            places[known_by].append(place)
    return places


def _near(one: Told, other: Told) -> bool:
    return abs(one.at - other.at) <= SHIFT


def _always(one: Told, other: Told) -> bool:
    return True


def _contained(one: Told, other: Told) -> bool:
    shorter, longer = sorted((one.words, other.words), key=len)
    return len(shorter) >= _SHORTEST_PART and shorter in longer
