"""What a subscription's state means for its owner, and what happened to it, in plain words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.dunning import Stage, Step
from billing.enums import PeriodKind, SubscriptionStatus
from kitehub.display import money
from kitehub.enums import Tier

if TYPE_CHECKING:
    from billing.models import (
        Subscription,
        SubscriptionAdjustment,
        SubscriptionHistory,
        SubscriptionPeriod,
    )

Status = SubscriptionStatus
# A change and what made it are of one transaction.
_AT_ONCE = timedelta(seconds=30)


def day(at: datetime) -> str:
    """A day in Vietnam: 23/12/2026."""
    return formats.date_format(timezone.localtime(at), "SHORT_DATE_FORMAT")


# --- What happens next --------------------------------------------------------------------------


def next_steps(
    subscription: "Subscription",
    *,
    stage: Stage,
    coming: "SubscriptionPeriod | None",
    renewal_days: int,
    paused: bool,
    at: datetime,
) -> list[str]:
    """What happens next, and when, a sentence each.

    `stage` is where the grace ladder stands, `coming` the next period of another tier.
    """
    if paused:
        return [_("It is paused: the days that are left wait until it goes on.")]
    end = subscription.current_period_end
    match subscription.status:
        case Status.TRIAL:
            return [
                _("You try it for free until %(day)s.") % {"day": day(end)},
                _("If you pay before, nothing is interrupted: your month begins after the trial."),
            ]
        case Status.CANCELED if at < end:
            return [
                _("It is cancelled. You keep everything until %(day)s.") % {"day": day(end)},
                _("You may take that back until then."),
            ]
        case Status.PAST_DUE:
            return [_("What was paid ended on %(day)s.") % {"day": day(end)}, *_ladder(stage)]
        case Status.ACTIVE:
            return [*_paid(subscription, coming, renewal_days)]
    return [
        _("It ended on %(day)s. Your data is kept.") % {"day": day(end)},
        _("Choose a plan and pay, and it goes on at once."),
    ]


def _paid(
    subscription: "Subscription", coming: "SubscriptionPeriod | None", renewal_days: int
) -> Iterator[str]:
    end = day(subscription.current_period_end)
    if coming is not None:
        yield _("From %(day)s on you have %(tier)s.") % {
            "day": day(coming.starts_at),
            "tier": Tier(coming.tier).label,
        }
    yield _("It is paid until %(day)s.") % {"day": end}
    if subscription.pending_tier:
        yield _("From then on you have %(tier)s.") % {"tier": Tier(subscription.pending_tier).label}
    yield _("We mail you the next payment, with its QR code, %(days)s days before.") % {
        "days": renewal_days
    }


def _ladder(stage: Stage) -> Iterator[str]:
    if stage.until is None:
        return
    on = {"day": day(stage.until)}
    match stage.step:
        case Step.CURRENT | Step.WARNED:
            yield _("Please pay by %(day)s: after that nothing can be changed.") % on
        case Step.BLOCKED:
            yield _("Nothing can be changed until you pay.")
            yield _("On %(day)s the school is suspended.") % on


# --- What happened ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened, and when."""

    at: datetime
    text: str


def told(
    rows: Iterable["SubscriptionHistory"], extensions: Sequence["SubscriptionAdjustment"] = ()
) -> list[Told]:
    """The changes that an owner understands, the newest first; `rows` carry their `previous`.

    Days that `extensions` gave are said to come from us.
    """
    return [
        Told(row.changed_at, " ".join(said))
        for row in rows
        if (said := list(_changes(row, _days_given(row, extensions))))
    ]


def _days_given(
    row: "SubscriptionHistory", extensions: Sequence["SubscriptionAdjustment"]
) -> int | None:
    """How many days staff gave by a change: the one that follows at once, theirs, for that."""
    for each in extensions:
        theirs = (each.created_by, each.reason) == (row.changed_by, row.change_reason)
        if theirs and timedelta(0) <= row.changed_at - each.created_at < _AT_ONCE:
            return each.days
    return None


def _changes(row: "SubscriptionHistory", given: int | None) -> Iterator[str]:
    before = getattr(row, "previous", None)
    tier = Tier(row.tier).label
    if before is None:
        began = {
            Status.TRIAL: _("The trial of %(tier)s began."),
            Status.ACTIVE: _("%(tier)s began."),
        }
        yield began.get(Status(row.status), _("%(tier)s began.")) % {"tier": tier}
        return
    if row.tier != before["tier"]:
        yield _("The plan is now %(tier)s.") % {"tier": tier}
    if row.status != before["status"] and not (given and row.status == Status.ACTIVE):
        yield from _status(row, before["status"])
    ends, ended = row.current_period_end, before.get("current_period_end")
    if ends and ended and day(ends) != day(datetime.fromisoformat(ended)):
        yield _until(day(ends), given)
    if row.monthly_price != before["monthly_price"]:
        yield _("The price is now %(price)s a month.") % {"price": money(row.monthly_price)}


def _until(end: str, given: int | None) -> str:
    if given is None:
        return _("Now until %(day)s.") % {"day": end}
    words = ngettext(
        "KiteHub's staff gave %(count)s more day: until %(day)s.",
        "KiteHub's staff gave %(count)s more days: until %(day)s.",
        given,
    )
    return words % {"count": given, "day": end}


def _status(row: "SubscriptionHistory", before: str) -> Iterator[str]:
    match row.status:
        case Status.ACTIVE if before == Status.CANCELED:
            yield _("The cancellation was taken back.")
        case Status.ACTIVE:
            yield _("It was paid.")
        case Status.PAST_DUE:
            yield _("What was paid ended, and no payment came in time.")
        case Status.CANCELED:
            yield _("It was cancelled.")
        case Status.EXPIRED:
            yield _("It ended.")


def period_words(period: "SubscriptionPeriod") -> str:
    """Where a period's time comes from, for who has it."""
    words = {
        PeriodKind.TRIAL: _("Free trial"),
        PeriodKind.CARRIED: _("Agreed earlier"),
        PeriodKind.PAID: _("Paid"),
        PeriodKind.UPGRADE: _("Paid, upgraded"),
        PeriodKind.EXTENSION: _("A present from us"),
        PeriodKind.RESUMED: _("The rest after a pause"),
    }
    return words.get(PeriodKind(period.kind), period.kind)
