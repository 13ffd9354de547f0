"""Events of a subscription's time: what it was before and after, its periods and adjustments."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from billing.admin.changes import Changes
from billing.admin.stored_words import actor_words, reason_words
from billing.enums import AdjustmentKind
from billing.models import (
    Subscription,
    SubscriptionAdjustment,
    SubscriptionHistory,
    SubscriptionPeriod,
)
from kitehub.backoffice.references import To
from kitehub.backoffice.timeline import ASKED, BEGUN, FOLLOWED, Event


def history_events(rows: QuerySet[SubscriptionHistory]) -> list[Event]:
    """What changed in subscriptions, as the database's trigger kept it."""
    newest: Any = rows.with_previous().order_by("-changed_at", "-id")[:ASKED]  # type: ignore[attr-defined]
    words = Changes()
    return [
        Event(
            at=row.changed_at,
            what=gettext("Subscription begins") if row.previous is None else gettext("Changed"),
            key=f"history:{row.pk}",
            icon="history",
            rank=BEGUN if row.previous is None else FOLLOWED,
            actor=actor_words(row.changed_by),
            why=reason_words(row.change_reason),
            more="\n".join(words.lines(row)),
            to=To(Subscription, row.subscription_id),
        )
        for row in newest
    ]


def period_events(periods: QuerySet[SubscriptionPeriod]) -> list[Event]:
    """Which periods were booked, and which made void."""
    found = []
    for row in periods.order_by("-created_at", "-id")[:ASKED]:
        said = {
            "tier": row.get_tier_display(),
            "from": day_of(row.starts_at),
            "until": day_of(row.ends_at),
        }
        to = To(SubscriptionPeriod, row.pk)
        found.append(
            Event(
                at=row.created_at,
                what=gettext("Period booked: %(tier)s, %(from)s – %(until)s") % said,
                key=f"period:{row.pk}",
                icon="date_range",
                actor=actor_words(row.created_by),
                more=row.get_kind_display(),
                to=to,
            )
        )
        if row.voided_at:
            found.append(
                Event(
                    at=row.voided_at,
                    what=gettext("Period made void: %(tier)s, %(from)s – %(until)s") % said,
                    key=f"period:{row.pk}:void",
                    icon="event_busy",
                    actor=actor_words(row.voided_by),
                    why=reason_words(row.void_reason),
                    to=to,
                )
            )
    return found


def adjustment_events(adjustments: QuerySet[SubscriptionAdjustment]) -> list[Event]:
    """What staff did to a subscription's time."""
    newest = adjustments.order_by("-created_at", "-id")[:ASKED]
    return [event for row in newest for event in _adjustment(row)]


def _adjustment(row: SubscriptionAdjustment) -> Iterable[Event]:
    to = To(SubscriptionAdjustment, row.pk)
    pause = row.kind == AdjustmentKind.PAUSE
    days = row.days or 0
    given = ngettext("Extended by %(days)s day", "Extended by %(days)s days", days)
    yield Event(
        at=row.created_at,
        what=gettext("Paused") if pause else given % {"days": days},
        key=f"adjustment:{row.pk}",
        icon="pause_circle" if pause else "more_time",
        actor=actor_words(row.created_by),
        why=row.reason,
        to=to,
    )
    if pause and row.ends_at:
        yield Event(
            at=row.ends_at,
            what=gettext("Pause ended"),
            key=f"adjustment:{row.pk}:end",
            icon="play_circle",
            to=to,
        )
    if row.voided_at:
        yield Event(
            at=row.voided_at,
            what=gettext("Adjustment made void"),
            key=f"adjustment:{row.pk}:void",
            icon="event_busy",
            actor=actor_words(row.voided_by),
            to=to,
        )


def day_of(at: Any) -> str:
    """The day of a moment, as people write it."""
    return date_format(timezone.localtime(at), "SHORT_DATE_FORMAT")
