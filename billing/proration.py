"""What an upgrade costs in the middle of a period, and what a downgrade would take away.

No database, no clock. Amounts are whole đồng.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import dropwhile

from billing.months import months_between
from billing.periods import RANK, Kind, Period
from kitehub.plans import Plan

# Amounts are rounded down to this, in the customer's favour, and are never less: an upgrade is an
# order, and an order has a bank line that pays for it.
STEP = 1_000


class NothingToUpgrade(Exception):
    """Nothing is paid for from this moment on that the tier would be more than."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What the higher tier costs from now to the end of what is paid, in đồng.

    `unused` is the time that is paid with a lower tier, `months` the same in calendar months.
    """

    amount: int
    unused: timedelta
    months: Fraction
    until: datetime


def upgrade_quote(
    periods: Sequence[Period], *, at: datetime, tier: str, prices: Mapping[str, int]
) -> Quote:
    """The price of a tier for all that is paid for and unused at a moment.

    For each period it is the difference of the two monthly prices, times the months that are left
    of it: a whole month costs the whole difference, and half a month, to the second, half of it.
    The sum is rounded down to 1.000 ₫ and is at least that. Days of a trial are free, days that
    staff gave are not: they are had in the higher tier.

    Raises NothingToUpgrade, and KeyError for a tier without a price.
    """
    price = Fraction(0)
    unused, months = timedelta(0), Fraction(0)
    until: datetime | None = None
    for period in _bought(periods):
        begins = max(period.starts_at, at)
        difference = prices[tier] - prices[period.tier]
        if begins >= period.ends_at or RANK[period.tier] >= RANK[tier]:
            continue
        count = months_between(begins, period.ends_at, anchor=period.anchor)
        price += max(difference, 0) * count
        unused += period.ends_at - begins
        months += count
        until = period.ends_at
    if until is None:
        raise NothingToUpgrade(tier)
    return Quote(max(STEP, int(price // STEP) * STEP), unused, months, until)


def _bought(periods: Sequence[Period]) -> Iterator[Period]:
    """The periods from the first on that was paid for; a trial may have been lengthened."""
    free = (Kind.TRIAL, Kind.EXTENSION)
    return dropwhile(lambda period: period.kind in free, periods)


# --- Downgrades ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that what is used is beyond."""

    name: str
    used: int
    limit: int


def exceeded(usage: Mapping[str, int | None], plan: Plan) -> list[Excess]:
    """The plan's limits that a usage is beyond, in the plan's order.

    What isn't known (None, or not given) is beyond nothing. Raises UnknownFeature for a name that
    no plan limits.
    """
    found = []
    for name, used in usage.items():
        limit = plan.limit(name)
        if used is not None and limit is not None and used > limit:
            found.append(Excess(name, used, limit))
    order = [*plan.limitations]
    return sorted(
        found, key=lambda each: order.index(each.name) if each.name in order else len(order)
    )


def features_lost(before: Plan, after: Plan) -> list[str]:
    """The features that one plan has and the other hasn't."""
    return [name for name, has in before.features.items() if has and not after.allows(name)]
