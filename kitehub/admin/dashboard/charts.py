"""The charts of the dashboard, drawn on the server: bars whose numbers stand in a table as well.

Nothing in them is a script or a style, so a strict policy, print and a reader of screens all have
them. Lengths are of a drawing that the page stretches; colours are classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import formats
from django.utils.translation import gettext

from billing.enums import Measure
from kitehub.admin.dashboard.figures import FUNNEL_DAYS, Days, Figures, month_ends
from kitehub.admin.dashboard.tiles import number
from kitehub.display import money, rate
from kitehub.enums import Tier

REVENUE_DAYS = 30
HEIGHT = 100
STEP = 10  # from one bar to the next
_GAP = 2
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle with what it stands for."""

    x: str
    y: str
    width: str
    height: str
    colour: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars over time, the labels of both axes, and the same in a table."""

    name: str
    title: str
    definition: str
    width: int
    height: int = HEIGHT
    bars: Sequence[Bar]
    zero: str
    scale: Sequence[str]  # from the top down
    labels: Sequence[str]
    legend: Sequence[tuple[str, str]] = ()  # colour and name
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the funnel: its part of the first in percent, for the drawing and for people."""

    name: str
    count: str
    share: str
    width: str
    colour: str


@dataclass(frozen=True, slots=True)
class Funnel:
    """What became of the trials of some days."""

    title: str
    definition: str
    stages: Sequence[Stage]


def revenue_chart(figures: Figures, *, today: date) -> Chart:
    """Revenue less refunds of each of the last days, today's until now."""
    days = list(Days.up_to(today, REVENUE_DAYS))
    amounts = [figures.net(Days(day, day)).amount for day in days]
    scale = _Scale(min(amounts), max(amounts))
    bars = [
        scale.bar(
            place, 0, amount, "today" if day == today else "one", f"{_day(day)}: {money(amount)}"
        )
        for place, (day, amount) in enumerate(zip(days, amounts, strict=True))
    ]
    return Chart(
        name="revenue",
        title=gettext("Revenue a day, last %(days)s days") % {"days": REVENUE_DAYS},
        definition=gettext("Less what was sent back on the day. The last bar is today until now."),
        width=STEP * len(days),
        bars=bars,
        zero=scale.y(0),
        scale=scale.labels(),
        labels=[_short(days[place]) for place in (0, len(days) // 2, -1)],
        columns=[gettext("day"), gettext("revenue")],
        rows=[(_day(day), money(amount)) for day, amount in zip(days, amounts, strict=True)],
    )


def recurring_chart(figures: Figures, *, today: date) -> Chart:
    """Monthly recurring revenue at the end of each of the last months, by tier."""
    ends = month_ends(today)
    tiers = list(Tier)
    amounts = [[figures.at_end_of(end, Measure.MRR, tier).amount for tier in tiers] for end in ends]
    scale = _Scale(0, max(map(sum, amounts)))
    bars = []
    for place, (end, row) in enumerate(zip(ends, amounts, strict=True)):
        below = 0
        for tier, amount in zip(tiers, row, strict=True):
            words = f"{_month(end)}, {tier.label}: {money(amount)}"
            bars.append(scale.bar(place, below, below + amount, tier.value.lower(), words))
            below += amount
    return Chart(
        name="recurring",
        title=gettext("Monthly recurring revenue by tier, last 12 months"),
        definition=gettext("As it was when each month ended; of this month as it is now."),
        width=STEP * len(ends),
        bars=bars,
        zero=scale.y(0),
        scale=scale.labels(),
        labels=[_month(ends[place]) for place in (0, len(ends) // 2, -1)],
        legend=[(tier.value.lower(), str(tier.label)) for tier in tiers],
        columns=[gettext("month"), *(str(tier.label) for tier in tiers), gettext("total")],
        rows=[
            (_month(end), *map(money, row), money(sum(row)))
            for end, row in zip(ends, amounts, strict=True)
        ],
    )


def funnel(figures: Figures, *, today: date) -> Funnel:
    """Trials begun in the last days, and those that were decided in them."""
    days = Days.up_to(today, FUNNEL_DAYS)
    begun, paid, lost = (
        max(figures.during(measure, days).quantity, 0)
        for measure in (Measure.TRIALS_BEGUN, Measure.TRIALS_CONVERTED, Measure.TRIALS_LOST)
    )
    most = max(begun, paid, lost)
    counts = (
        (gettext("Trials begun"), begun, "one"),
        (gettext("Trials that pay"), paid, "premium"),
        (gettext("Trials without payment"), lost, "basic"),
    )
    return Funnel(
        gettext("Trials, last %(days)s days") % {"days": FUNNEL_DAYS},
        gettext(
            "What began, and what was decided, on these days: some of what began is still running, "
            "and some of what was decided began before."
        ),
        [
            Stage(name, number(count), rate(count, begun), _length(100 * count, most), colour)
            for name, count, colour in counts
        ],
    )


# --- Drawing ------------------------------------------------------------------------------------


class _Scale:
    """Where an amount stands in the drawing, and what is written beside it."""

    def __init__(self, least: int, most: int) -> None:
        self._top, self._bottom = _round_up(most), -_round_up(-least)
        if self._top == self._bottom:
            self._top = _MILLION

    def y(self, amount: int) -> str:
        return _length(HEIGHT * (self._top - amount), self._top - self._bottom)

    def bar(self, place: int, start: int, end: int, colour: str, words: str) -> Bar:
        low, high = sorted((start, end))
        return Bar(
            x=f"{STEP * place + _GAP / 2:g}",
            y=self.y(high),
            width=f"{STEP - _GAP}",
            height=_length(HEIGHT * (high - low), self._top - self._bottom),
            colour=colour,
            words=words,
        )

    def labels(self) -> list[str]:
        middle = (self._top + self._bottom) // 2
        return [_short_money(amount) for amount in (self._top, middle, self._bottom)]


def _round_up(amount: int) -> int:
    """The next of 1, 2, 5, 10, 20, … that is no less; 0 for what is not above it."""
    if amount <= 0:
        return 0
    unit: int = 10 ** (len(str(amount)) - 1)
    return next(unit * times for times in (1, 2, 5, 10) if unit * times >= amount)


def _length(amount: int, whole: int) -> str:
    """Never by the language's rules: a comma would end a number of a drawing."""
    return f"{amount / whole if whole else 0:.2f}"


# --- Words --------------------------------------------------------------------------------------


def _short_money(amount: int) -> str:
    if abs(amount) < _MILLION:
        return money(amount)
    millions = amount / _MILLION
    written = formats.number_format(
        millions, 0 if amount % _MILLION == 0 else 1, force_grouping=True
    )
    return gettext("%(number)s million ₫") % {"number": written}


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _short(day: date) -> str:
    return f"{day:%d/%m}"


def _month(day: date) -> str:
    return f"{day:%m/%Y}"
