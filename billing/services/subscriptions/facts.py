"""What has happened to a subscription, read from its rows for `billing.periods` to fold."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from billing.dunning import Silence
from billing.enums import AdjustmentKind, OrderPurpose, PeriodKind
from billing.models import (
    Subscription,
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
from kitehub.db import rows
from kitehub.enums import Tier
from kitehub.plans import PLANS

_OPENINGS = (PeriodKind.TRIAL.value, PeriodKind.CARRIED.value)
_PAID = (Kind.CARRIED, Kind.PAID, Kind.UPGRADE, Kind.RESUMED)

# Paid orders whose money is still there, also those that somebody deleted. What has no allocations
# was paid in another program; without a purpose it is from before periods were kept, so what it
# bought is in the opening.
_FACTS = """
    SELECT own.id, COALESCE(own.purpose, 'PERIOD'), own.paid_at, NULL, own.tier, own.months, '',
        own.created_at, booked.told_at, own.amount, own.monthly_price
    FROM payment_orders own
    CROSS JOIN LATERAL (
        SELECT count(*) AS entries, max(created_at) FILTER (WHERE amount > 0) AS told_at
        FROM payment_allocations
        WHERE order_id = own.id
    ) booked
    WHERE own.instance_id = %(instance)s AND own.type = 'SUBSCRIPTION' AND own.status = 'PAID'
        AND own.paid_at IS NOT NULL
        AND CASE WHEN booked.entries > 0 THEN own.paid_amount > 0 ELSE own.purpose IS NOT NULL END
    UNION ALL
    SELECT id, kind, starts_at, ends_at, NULL, days, reason, NULL, NULL, NULL, NULL
    FROM subscription_adjustments
    WHERE subscription_id = %(subscription)s AND voided_at IS NULL
"""


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
    """Reads every fact and folds them; three queries."""
    written = rows.read(
        SubscriptionPeriod,
        "WHERE subscription_id = %s AND (voided_at IS NULL OR kind IN ('TRIAL', 'CARRIED'))"
        " ORDER BY created_at, starts_at, ends_at DESC",
        [subscription.pk],
    )
    opening = _opening(subscription, written)
    facts: list[Fact] = [*([opening] if opening else []), *_facts(subscription)]
    silences = grace.silences()
    live = sorted((row for row in written if not row.voided_at), key=lambda row: row.starts_at)
    return Known(opening, facts, fold(facts, silences), live, silences, written=bool(written))


def periods_of(subscription: Subscription) -> list[Period]:
    """A subscription's periods as they follow from the facts; three queries."""
    return know(subscription).periods


def fold(facts: Iterable[Fact], silences: Iterable[Silence]) -> list[Period]:
    """The periods that facts make, with the settings' grace."""
    return timeline(facts, grace=timedelta(days=grace.ladder().suspend), silences=silences)


def _opening(subscription: Subscription, written: list[SubscriptionPeriod]) -> Opening | None:
    """How a subscription began: by its first row, else by what its dates have always said.

    The first row is whole; later ones may be parts of it, where something was paid or paused in it.
    """
    first = next((row for row in written if row.kind in _OPENINGS), None)
    if first is not None:
        return Opening(first.starts_at, first.ends_at, first.tier, Kind(first.kind))
    if written or subscription.current_period_end <= subscription.current_period_start:
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


def _facts(subscription: Subscription) -> Iterator[Fact]:
    """What was paid, and what staff did."""
    asked = {"instance": subscription.instance_id, "subscription": subscription.pk}
    for pk, kind, at, ends_at, tier, count, reason, *agreed in rows.fetch(_FACTS, asked):
        opened_at, told_at, amount, price = agreed
        own = tier or subscription.tier
        match kind:
            case OrderPurpose.UPGRADE:
                yield Upgrade(pk, at, own, quoted_at=opened_at)
            case OrderPurpose.PERIOD:
                months = count or _bought(amount, price or PLANS[Tier(own)].monthly_price)
                yield Payment(pk, at, own, months, told_at=told_at)
            case AdjustmentKind.PAUSE:
                yield Pause(pk, at, ends_at, reason)
            case _:
                yield Extension(pk, at, count or 1, reason)


def _bought(amount: int, price: int) -> int:
    """The months of an order that names none, as another program's: those that its amount buys."""
    count, rest = divmod(amount, price)
    return count if not rest and 1 <= count <= MOST_MONTHS else 1
