"""What is done to subscriptions."""

from datetime import datetime
from uuid import UUID

from billing.enums import SubscriptionStatus
from billing.models import Subscription
from kitehub.enums import Tier


class SubscriptionEnded(Exception):
    """A subscription that has ended has no terms to change; it is to be renewed first."""


def change_terms(
    *, instance_id: UUID, tier: Tier, monthly_price: int, at: datetime
) -> Subscription | None:
    """Changes what an instance's subscription is for, in the caller's transaction.

    The state and the period stay what they are. A subscription that has this tier keeps its price,
    which may be an agreed one. Price in đồng. Returns the subscription, None where there is none;
    the database writes the history. Raises SubscriptionEnded for one that has expired, or was
    cancelled and whose period is over at the moment `at`.
    """
    rows = Subscription.objects.select_for_update(of=("self",), no_key=True)
    found = rows.filter(instance_id=instance_id).first()
    if found is None or found.tier == tier:
        return found
    over = found.status == SubscriptionStatus.CANCELED and found.current_period_end <= at
    if over or found.status == SubscriptionStatus.EXPIRED:
        raise SubscriptionEnded(instance_id)
    found.tier = tier
    found.monthly_price = monthly_price
    found.save(update_fields=["tier", "monthly_price"])
    return found
