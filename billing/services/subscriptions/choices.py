"""What an owner decides: to stop at the end of what is paid, to have less, to have more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.enums import SubscriptionStatus
from billing.models import Subscription, SubscriptionPeriod
from billing.periods import RANK
from billing.proration import Excess, Quote, exceeded, features_lost
from billing.proration import upgrade_quote as quote
from billing.services.subscriptions.facts import periods_of
from billing.services.subscriptions.replay import NoSubscription, lock
from billing.services.subscriptions.terms import SubscriptionEnded
from kitehub.db.acting import acting
from kitehub.enums import Tier
from kitehub.plans import PLANS


class NotLower(Exception):
    """The tier isn't less than the one that the subscription has, or is to have."""


@dataclass(frozen=True, slots=True)
class Downgrade:
    """What a lower tier would mean: from when, at which price a month, and what it doesn't have."""

    tier: Tier
    starts_at: datetime
    monthly_price: int
    features_lost: list[str]
    exceeded: list[Excess]


def cancel_at_period_end(
    *, instance_id: UUID, at: datetime, actor: str, reason: str = ""
) -> Subscription:
    """Cancels: everything stays until the end of what is paid, then it is over, without grace.

    Cancelled twice is cancelled once. Open orders stay open: who pays one after this has changed
    their mind. Raises NoSubscription, and SubscriptionEnded where it is over already.
    """
    with transaction.atomic(), acting(actor, reason, at=at):
        _instance, found = lock(instance_id)
        if found.status == SubscriptionStatus.EXPIRED:
            raise SubscriptionEnded(instance_id)
        if found.status != SubscriptionStatus.CANCELED:
            found.status = SubscriptionStatus.CANCELED
            found.canceled_at = at
            found.save(update_fields=["status", "canceled_at"])
    return found


def undo_cancel(*, instance_id: UUID, at: datetime, actor: str, reason: str = "") -> Subscription:
    """Takes a cancellation back while what is paid lasts; one that isn't cancelled stays as it is.

    Raises NoSubscription, and SubscriptionEnded where it is over.
    """
    with transaction.atomic(), acting(actor, reason, at=at):
        _instance, found = lock(instance_id)
        over = found.status == SubscriptionStatus.CANCELED and found.current_period_end <= at
        if over or found.status == SubscriptionStatus.EXPIRED:
            raise SubscriptionEnded(instance_id)
        if found.status == SubscriptionStatus.CANCELED:
            found.status = SubscriptionStatus.ACTIVE
            found.canceled_at = None
            found.save(update_fields=["status", "canceled_at"])
    return found


def downgrade_preview(
    *, instance_id: UUID, tier: Tier, usage: Mapping[str, int | None]
) -> Downgrade:
    """What a lower tier would take away, by what is used now; storage is in bytes.

    Raises NoSubscription, NotLower, and UnknownFeature for a use that no plan limits.
    """
    found = _of(instance_id)
    _check_lower(found, tier)
    return Downgrade(
        tier=tier,
        starts_at=found.current_period_end,
        monthly_price=PLANS[tier].monthly_price,
        features_lost=features_lost(PLANS[highest_tier(found)], PLANS[tier]),
        exceeded=exceeded(usage, PLANS[tier]),
    )


def request_downgrade(
    *, instance_id: UUID, tier: Tier, at: datetime, actor: str, reason: str = ""
) -> Subscription:
    """Asks for a lower tier from the end of what is paid on: renewals are for it from now on.

    Raises NoSubscription, NotLower, and SubscriptionEnded for one that is over or cancelled.
    """
    with transaction.atomic(), acting(actor, reason, at=at):
        _instance, found = lock(instance_id)
        if found.status in (SubscriptionStatus.CANCELED, SubscriptionStatus.EXPIRED):
            raise SubscriptionEnded(instance_id)
        _check_lower(found, tier)
        if found.pending_tier != tier:
            found.pending_tier = tier
            found.save(update_fields=["pending_tier"])
    return found


def undo_downgrade(
    *, instance_id: UUID, at: datetime, actor: str, reason: str = ""
) -> Subscription:
    """Keeps the tier after all. Raises NoSubscription."""
    with transaction.atomic(), acting(actor, reason, at=at):
        _instance, found = lock(instance_id)
        if found.pending_tier is not None:
            found.pending_tier = None
            found.save(update_fields=["pending_tier"])
    return found


def highest_tier(found: Subscription) -> Tier:
    """The highest of the tier that a subscription has and those that are paid for behind it."""
    later = SubscriptionPeriod.objects.filter(
        subscription=found, voided_at__isnull=True, starts_at__gt=found.current_period_start
    )
    tiers = [found.tier, *later.values_list("tier", flat=True)]
    return Tier(max(tiers, key=RANK.__getitem__))


def upgrade_quote(*, instance_id: UUID, tier: Tier, at: datetime) -> Quote:
    """What a higher tier costs from now to the end of what is paid; an agreed price counts.

    Raises NoSubscription and NothingToUpgrade.
    """
    found = _of(instance_id)
    prices = {each.value: plan.monthly_price for each, plan in PLANS.items()}
    prices[found.tier] = found.monthly_price
    return quote(periods_of(found), at=at, tier=tier, prices=prices)


def _of(instance_id: UUID) -> Subscription:
    found = Subscription.objects.of_instance(instance_id).first()
    if found is None:
        raise NoSubscription(instance_id)
    return found


def _check_lower(found: Subscription, tier: Tier) -> None:
    highest = highest_tier(found)
    if RANK[tier] >= RANK[highest]:
        raise NotLower(f"{tier} isn't less than {highest}.")
