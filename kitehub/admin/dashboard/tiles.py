"""The tiles of the dashboard: a number each, what it is beside, and how it is reckoned."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext, ngettext

from billing.enums import Measure, SubscriptionStatus
from billing.models import Subscription
from billing.months import HANOI
from kitehub.admin.dashboard.figures import Days, Figures, Total
from kitehub.display import money, rate

# Whole days after today, as the list counts them.
ENDING = timedelta(days=7)
# More are counted only up to here.
MOST = 1000
# What makes a school one that pays.
_JOINED = (Measure.STARTED, Measure.TRIALS_CONVERTED, Measure.RETURNED)


@dataclass(frozen=True, slots=True)
class Trend:
    """How a number has moved: by how much, which way, and whether that is welcome."""

    text: str
    way: str  # up, down, flat
    welcome: bool
    against: str

    @property
    def icon(self) -> str:
        """A Material Symbol."""
        return f"trending_{self.way}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A number with its name, what is beside it, how it is reckoned and where its rows are."""

    title: str
    value: str
    note: str = ""
    trend: Trend | None = None
    definition: str
    address: str = ""


def money_tiles(figures: Figures, *, today: date) -> list[Tile]:
    """Money of today, of the last 7 and 30 whole days, and course fees."""
    yesterday = today - timedelta(days=1)
    this, last = figures.net(Days(today, today)), figures.net(Days(yesterday, yesterday))
    return [
        Tile(
            title=gettext("Revenue today"),
            value=money(this.amount),
            note=gettext("Yesterday: %(amount)s") % {"amount": money(last.amount)},
            definition=gettext(
                "Paid orders for KiteHub's own plans, on the day on which the bank had the "
                "money, less what was sent back of them today. Until now."
            ),
            address=_paid(Days(today, today)),
        ),
        *(_revenue(figures, Days.up_to(yesterday, count)) for count in (7, 30)),
        _course_fees(figures, Days.up_to(yesterday, 30)),
    ]


def subscription_tiles(
    figures: Figures, *, now: datetime, today: date, of_money: bool
) -> list[Tile]:
    """Trials, what is past due, conversion and churn; money only for those who may see it."""
    month = Days.up_to(today - timedelta(days=1), 30)
    return [
        *([_recurring(figures, today=today)] if of_money else ()),
        _trials_ending(figures, now=now, today=today),
        _past_due(figures, today=today, of_money=of_money),
        _conversion(figures, month),
        _churn(figures, month, of_money=of_money),
    ]


# --- Money --------------------------------------------------------------------------------------


def _revenue(figures: Figures, days: Days) -> Tile:
    now, before = figures.net(days), figures.net(days.before())
    count = len(days)
    return Tile(
        title=gettext("Revenue of the last %(days)s days") % {"days": count},
        value=money(now.amount),
        note=_orders(now),
        trend=_relative(
            now.amount,
            before.amount,
            gettext("against the %(days)s days before") % {"days": count},
        ),
        definition=gettext(
            "Paid orders for KiteHub's own plans less what was sent back of them, on whole "
            "days up to yesterday. Course fees are not in it."
        ),
        address=_paid(days),
    )


def _course_fees(figures: Figures, days: Days) -> Tile:
    now = figures.during(Measure.COURSE_FEES, days)
    before = figures.during(Measure.COURSE_FEES, days.before())
    count = len(days)
    return Tile(
        title=gettext("Course fees of the last %(days)s days") % {"days": count},
        value=money(now.amount),
        note=_orders(now),
        trend=_relative(
            now.amount,
            before.amount,
            gettext("against the %(days)s days before") % {"days": count},
        ),
        definition=gettext(
            "What students paid to the schools' own accounts by orders of KiteHub. None of it "
            "is KiteHub's money."
        ),
        address=_paid(days, kind="ENROLLMENT"),
    )


def _orders(total: Total) -> str:
    return ngettext("%(count)s paid order", "%(count)s paid orders", total.quantity) % {
        "count": number(total.quantity)
    }


def _paid(days: Days, kind: str = "SUBSCRIPTION") -> str:
    return _list(
        "billing_paymentorder",
        status__exact="PAID",
        type__exact=kind,
        paid_at_from=days.first.isoformat(),
        paid_at_to=days.last.isoformat(),
    )


# --- Subscriptions ------------------------------------------------------------------------------


def _recurring(figures: Figures, *, today: date) -> Tile:
    now = figures.at_end_of(today, Measure.MRR)
    before = figures.at_end_of(today - timedelta(days=30), Measure.MRR)
    schools = ngettext("%(count)s school pays", "%(count)s schools pay", now.quantity)
    return Tile(
        title=gettext("Monthly recurring revenue"),
        value=money(now.amount),
        note=schools % {"count": number(now.quantity)},
        trend=_relative(now.amount, before.amount, gettext("against 30 days ago")),
        definition=gettext(
            "The monthly prices of all subscriptions that are paid for or past due. Neither "
            "trials nor what is cancelled are in it."
        ),
        address=_list("billing_subscription", status__in="ACTIVE,PAST_DUE"),
    )


def _trials_ending(figures: Figures, *, now: datetime, today: date) -> Tile:
    running = figures.at_end_of(today, Measure.TRIALS).quantity
    found = trials_ending(now)[: MOST + 1].count()
    return Tile(
        title=gettext("Trials that end within 7 days"),
        value=number(found) if found <= MOST else f"{number(MOST)}+",
        note=ngettext("of %(count)s that runs", "of %(count)s that run", running)
        % {"count": number(running)},
        definition=gettext(
            "Schools in their trial that lose access up to the end of the seventh day from today "
            "unless they pay."
        ),
        address=_list(
            "billing_subscription",
            status__exact="TRIAL",
            current_period_end_from=today.isoformat(),
            current_period_end_to=(today + ENDING).isoformat(),
        ),
    )


def trials_ending(now: datetime) -> QuerySet[Subscription]:
    """Trials that end within ENDING (idx_subscriptions_trials)."""
    midnight = now.astimezone(HANOI).replace(hour=0, minute=0, second=0, microsecond=0)
    return Subscription.objects.filter(
        status=SubscriptionStatus.TRIAL,
        current_period_end__gte=midnight,
        current_period_end__lt=midnight + ENDING + timedelta(days=1),
    )


def _past_due(figures: Figures, *, today: date, of_money: bool) -> Tile:
    now = figures.at_end_of(today, Measure.PAST_DUE)
    return Tile(
        title=gettext("Past due"),
        value=number(now.quantity),
        note=_monthly(now) if of_money else "",
        definition=gettext(
            "Schools whose paid time is over and whose grace is not. They are in the monthly "
            "recurring revenue until it is."
        ),
        address=_list("billing_subscription", status__exact="PAST_DUE"),
    )


def _conversion(figures: Figures, days: Days) -> Tile:
    paid, ended = _ended_trials(figures, days)
    paid_before, ended_before = _ended_trials(figures, days.before())
    ending = ngettext(
        "%(paid)s of %(ended)s trial that ended",
        "%(paid)s of %(ended)s trials that ended",
        ended,
    )
    return Tile(
        title=gettext("Trials that pay"),
        value=rate(paid, ended),
        note=ending % {"paid": number(paid), "ended": number(ended)},
        trend=_points((paid, ended), (paid_before, ended_before), more_is_welcome=True),
        definition=gettext(
            "Of the trials that were decided in the last 30 whole days, those with a first "
            "payment; the others ended without one. Who pays late counts as paying from then on."
        ),
    )


def _ended_trials(figures: Figures, days: Days) -> tuple[int, int]:
    paid = figures.during(Measure.TRIALS_CONVERTED, days).quantity
    lost = figures.during(Measure.TRIALS_LOST, days).quantity
    # Who pays late is no longer lost, on a day on which perhaps nobody else was.
    return max(paid, 0), max(paid, 0) + max(lost, 0)


def _churn(figures: Figures, days: Days, *, of_money: bool) -> Tile:
    lost, there = _lost(figures, days)
    before, there_before = _lost(figures, days.before())
    gone = ngettext("%(count)s school", "%(count)s schools", lost.quantity)
    note = gone % {"count": number(lost.quantity)}
    return Tile(
        title=gettext("Churn"),
        value=rate(lost.quantity, there),
        note=f"{note}, {_monthly(lost)}" if of_money else note,
        trend=_points(
            (lost.quantity, there), (before.quantity, there_before), more_is_welcome=False
        ),
        definition=gettext(
            "Of the schools that paid when the last 30 whole days began or began to pay within "
            "them, those that cancelled or whose grace ended without payment. A cancellation that "
            "is taken back is none."
        ),
    )


def _lost(figures: Figures, days: Days) -> tuple[Total, int]:
    lost = figures.during(Measure.CHURNED, days)
    there = figures.at_end_of(days.first - timedelta(days=1), Measure.MRR).quantity
    # Who came and left within these days is among the lost, so they are among all as well.
    there += sum(figures.during(measure, days).quantity for measure in _JOINED)
    return Total(max(lost.amount, 0), max(lost.quantity, 0)), there


def _monthly(total: Total) -> str:
    return gettext("%(amount)s a month") % {"amount": money(total.amount)}


# --- Words --------------------------------------------------------------------------------------


def number(count: int) -> str:
    """With thousands set off."""
    return str(formats.number_format(count, force_grouping=True))


def _relative(now: int, before: int, against: str) -> Trend | None:
    """By how many percent; None where there is nothing to compare with."""
    if before <= 0:
        return None
    return Trend(rate(abs(now - before), before), _way(now, before), now >= before, against)


def _points(
    now: tuple[int, int], before: tuple[int, int], *, more_is_welcome: bool
) -> Trend | None:
    """By how many percentage points two shares differ."""
    (part, whole), (part_before, whole_before) = now, before
    if not whole or not whole_before:
        return None
    one, other = 1000 * part // whole, 1000 * part_before // whole_before
    points = gettext("%(number)s points") % {
        "number": formats.number_format(abs(one - other) / 10, 1)
    }
    welcome = one == other or (one > other) == more_is_welcome
    return Trend(
        points,
        _way(one, other),
        welcome,
        gettext("against the %(days)s days before") % {"days": 30},
    )


def _way(now: int, before: int) -> str:
    return "flat" if now == before else "up" if now > before else "down"


def _list(model: str, **parameters: Any) -> str:
    address = reverse(f"admin:{model}_changelist")
    return f"{address}?{urlencode(parameters)}" if parameters else address
