"""What an owner may do with each tier at a moment. No database, no clock."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from billing.enums import SubscriptionStatus
from billing.periods import RANK
from kitehub.enums import Tier

if TYPE_CHECKING:
    from billing.models import Subscription

# How many months one may buy at once.
MONTHS = (1, 3, 6, 12)


class Way(StrEnum):
    """How a school comes to a tier, or stays with it."""

    BUY = "BUY"
    RENEW = "RENEW"
    UPGRADE = "UPGRADE"
    DOWNGRADE = "DOWNGRADE"


@dataclass(frozen=True, slots=True)
class Offer:
    """A tier, and how to come to it."""

    tier: Tier
    way: Way

    @property
    def by_months(self) -> bool:
        """Whether months of it are bought; else it is had for what is paid already, or later."""
        return self.way in (Way.BUY, Way.RENEW)


def offers(subscription: "Subscription", *, at: datetime, ahead: Tier | None = None) -> list[Offer]:
    """One for each tier, the lowest first.

    Who has paid ahead renews the tier they have, has a higher one at once against the difference,
    or a lower one from the end of what is paid on. Who tries, or has let it run out, buys any.
    `ahead` is the highest tier that is paid for: with a higher one to come, the tier that they have
    is one to come down to.
    """
    return [Offer(tier, _way(subscription, tier, at=at, ahead=ahead)) for tier in Tier]


def offer(
    subscription: "Subscription", tier: str, *, at: datetime, ahead: Tier | None = None
) -> Offer | None:
    """The one for a tier; None where there is no such tier."""
    found = offers(subscription, at=at, ahead=ahead)
    return next((each for each in found if each.tier == tier), None)


def _way(subscription: "Subscription", tier: Tier, *, at: datetime, ahead: Tier | None) -> Way:
    tried = subscription.status == SubscriptionStatus.TRIAL
    over = subscription.status == SubscriptionStatus.EXPIRED
    if tried or over:
        return Way.BUY
    running = subscription.current_period_end > at
    if tier == subscription.tier:
        above = running and ahead is not None and RANK[ahead] > RANK[tier]
        return Way.DOWNGRADE if above else Way.RENEW
    if not running:
        return Way.BUY
    return Way.UPGRADE if RANK[tier] > RANK[subscription.tier] else Way.DOWNGRADE
