"""What has happened to a subscription, read from its rows for `billing.periods` to fold."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q

from billing.dunning import Silence
from billing.enums import AdjustmentKind, OrderPurpose, PaymentStatus, PaymentType, PeriodKind
from billing.models import (
    PaymentAllocation,
    PaymentOrder,
    Subscription,
    SubscriptionAdjustment,
    SubscriptionPeriod,
)
from billing.months import MOST_MONTHS
from billing.periods import (
    Extension,
    Fact,
    Kind,
    Opening,
    Pause,
    Payment,
    Period,
    Upgrade,
    timeline,
)
from billing.services import grace
from kitehub.enums import Tier
from kitehub.plans import PLANS

_OPENINGS = (PeriodKind.TRIAL.value, PeriodKind.CARRIED.value)
_PAID = (Kind.CARRIED, Kind.PAID, Kind.UPGRADE, Kind.RESUMED)


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of a subscription's time, and what follows from it."""

    opening: Opening | None
    facts: list[Fact]
    periods: list[Period]
    # The rows that say so now, in order; empty where nobody has asked yet.
    live: list[SubscriptionPeriod]
    silences: list[Silence]
    written: bool

    @property
    def paid(self) -> bool:
        """Whether any of the time is more than a trial."""
        return any(period.kind in _PAID for period in self.periods)

    def paused(self, at: datetime) -> bool:
        """Whether it stands still until somebody resumes it."""
        pauses = (fact for fact in self.facts if isinstance(fact, Pause))
        return any(each.ends_at is None and each.starts_at <= at for each in pauses)

    def without(self, order_id: UUID) -> list[Period]:
        """The periods as they would be without an order."""
        return fold(
            (fact for fact in self.facts if getattr(fact, "order_id", None) != order_id),
            self.silences,
        )

    def including(self, fact: Fact) -> list[Period]:
        """The periods as they would be with another fact."""
        return fold([*self.facts, fact], self.silences)


def know(subscription: Subscription) -> Known:
    """Reads every fact and folds them; four queries."""
    rows = list(
        SubscriptionPeriod.objects.filter(
            Q(voided_at__isnull=True) | Q(kind__in=_OPENINGS), subscription=subscription
        ).order_by("created_at", "starts_at", "-ends_at")
    )
    opening = _opening(subscription, rows)
    facts: list[Fact] = [
        *([opening] if opening else []),
        *_payments(subscription),
        *_adjustments(subscription),
    ]
    silences = grace.silences()
    live = sorted((row for row in rows if not row.voided_at), key=lambda row: row.starts_at)
    return Known(opening, facts, fold(facts, silences), live, silences, written=bool(rows))


def periods_of(subscription: Subscription) -> list[Period]:
    """A subscription's periods as they follow from the facts; four queries."""
    return know(subscription).periods


def fold(facts: Iterable[Fact], silences: Iterable[Silence]) -> list[Period]:
    """The periods that facts make, with the settings' grace."""
    return timeline(facts, grace=timedelta(days=grace.ladder().suspend), silences=silences)


def _opening(subscription: Subscription, rows: list[SubscriptionPeriod]) -> Opening | None:
    """How a subscription began: by its first row, else by what its dates have always said.

    The first row is whole; later ones may be parts of it, where something was paid or paused in it.
    """
    first = next((row for row in rows if row.kind in _OPENINGS), None)
    if first is not None:
        return Opening(first.starts_at, first.ends_at, first.tier, Kind(first.kind))
    if rows or subscription.current_period_end <= subscription.current_period_start:
        return None
    return Opening(
        subscription.current_period_start,
        subscription.current_period_end,
        subscription.tier,
        Kind.TRIAL if is_tried(subscription) else Kind.CARRIED,
    )


def is_tried(subscription: Subscription) -> bool:
    """Whether a subscription's time is all of its trial, by its own columns."""
    trial_end = subscription.trial_end
    return trial_end is not None and subscription.current_period_end <= trial_end


def _payments(subscription: Subscription) -> Iterator[Payment | Upgrade]:
    """Paid orders whose money is still there, also those that somebody deleted.

    What has no allocations was paid in another program. Without a purpose it is from before periods
    were kept, so what it bought is in the opening.
    """
    booked = PaymentAllocation.objects.filter(order=OuterRef("pk"))
    orders = PaymentOrder.all_objects.filter(
        Q(Exists(booked), paid_amount__gt=0) | ~Q(Exists(booked)) & Q(purpose__isnull=False),
        instance_id=subscription.instance_id,
        type=PaymentType.SUBSCRIPTION,
        status=PaymentStatus.PAID,
        paid_at__isnull=False,
    )
    given = Q(allocations__amount__gt=0)
    for order in orders.annotate(told_at=Max("allocations__created_at", filter=given)):
        assert order.paid_at is not None  # noqa: S101 - the filter's
        tier = order.tier or subscription.tier
        if order.purpose == OrderPurpose.UPGRADE:
            yield Upgrade(order.pk, order.paid_at, tier, quoted_at=order.created_at)
        else:
            yield Payment(
                order.pk,
                order.paid_at,
                tier,
                _months(order, Tier(tier)),
                told_at=order.told_at,  # type: ignore[attr-defined]  # annotated
            )


def _months(order: PaymentOrder, tier: Tier) -> int:
    """How many months an order is for; one of another program is for what its amount buys."""
    if order.months:
        return order.months
    count, rest = divmod(order.amount, order.monthly_price or PLANS[tier].monthly_price)
    return count if not rest and 1 <= count <= MOST_MONTHS else 1


def _adjustments(subscription: Subscription) -> Iterator[Extension | Pause]:
    rows = SubscriptionAdjustment.objects.valid().filter(subscription=subscription)
    for row in rows:
        if row.kind == AdjustmentKind.PAUSE:
            yield Pause(row.pk, row.starts_at, row.ends_at, row.reason)
        else:
            yield Extension(row.pk, row.starts_at, row.days or 1, row.reason)
