"""The figures of the dashboard: sums of days, and what holds at the end of a day."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from billing.enums import Measure
from billing.services import figures
from billing.services.figures import RUNNING, Change
from kitehub.enums import Tier

# How far the page looks back: the funnel's days, and the months of the chart of recurring revenue.
FUNNEL_DAYS = 90
MONTHS = 12
_MONEY = (Measure.REVENUE, Measure.REFUNDS, Measure.COURSE_FEES)
_EVENTS = (
    Measure.TRIALS_BEGUN,
    Measure.TRIALS_CONVERTED,
    Measure.TRIALS_LOST,
    Measure.CHURNED,
    Measure.STARTED,
    Measure.RETURNED,
)


class Total(NamedTuple):
    """An amount in đồng, and how many it is of."""

    amount: int = 0
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class Days:
    """Days in Vietnam from one to another, both included."""

    first: date
    last: date

    @classmethod
    def up_to(cls, last: date, count: int) -> "Days":
        """So many days, of which this is the last."""
        return cls(last - timedelta(days=count - 1), last)

    def before(self) -> "Days":
        """As many days right before these."""
        return Days.up_to(self.first - timedelta(days=1), len(self))

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=place) for place in range(len(self)))


class Figures:
    """What changed, by day, to be summed."""

    def __init__(self, found: Iterable[Change]) -> None:
        self._found: dict[Measure, list[Change]] = {}
        for change in found:
            self._found.setdefault(change.measure, []).append(change)

    def __bool__(self) -> bool:
        return bool(self._found)

    def during(self, measure: Measure, days: Days) -> Total:
        """All that changed on these days."""
        return _sum(
            change
            for change in self._found.get(measure, ())
            if change.day and days.first <= change.day <= days.last
        )

    def net(self, days: Days) -> Total:
        """Revenue less what was paid back of it, and the number of paid orders."""
        revenue, back = self.during(Measure.REVENUE, days), self.during(Measure.REFUNDS, days)
        return Total(revenue.amount - back.amount, revenue.quantity)

    def at_end_of(self, day: date, measure: Measure, tier: Tier | None = None) -> Total:
        """What a RUNNING measure was when a day ended, of all tiers or of one."""
        return _sum(
            change
            for change in self._found.get(measure, ())
            if (change.day is None or change.day <= day) and tier in (None, change.tier)
        )


def read(*, today: date, of_money: bool, of_subscriptions: bool) -> Figures:
    """Those that somebody may see; a query for what happened, and one for what holds."""
    happened = (*(_MONEY if of_money else ()), *(_EVENTS if of_subscriptions else ()))
    found: list[Change] = []
    if happened:
        found += figures.changes(*happened, since=Days.up_to(today, FUNNEL_DAYS + 1).first)
    if of_subscriptions:
        found += figures.changes(*sorted(RUNNING), since=month_ends(today)[0])
    return Figures(found)


def month_ends(today: date) -> list[date]:
    """The last days of the eleven months before, and today."""
    ends, first = [today], today.replace(day=1)
    while len(ends) < MONTHS:
        ends.insert(0, first - timedelta(days=1))
        first = ends[0].replace(day=1)
    return ends


def _sum(changes: Iterable[Change]) -> Total:
    amount = quantity = 0
    for change in changes:
        amount += change.amount
        quantity += change.quantity
    return Total(amount, quantity)
