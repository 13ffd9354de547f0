"""Whether a paid upgrade buys anything, and as far as what."""

from datetime import datetime

from billing.enums import OrderPurpose
from billing.models import PaymentOrder, Subscription
from billing.periods import Upgrade
from billing.services.subscriptions.facts import know


def takes_effect(*, order: PaymentOrder) -> bool:
    """Whether a paid order buys anything: an upgrade doesn't that came when nothing was left.

    One that came while a pause was open may take effect once that ends, so it counts as if it did.
    """
    if order.purpose != OrderPurpose.UPGRADE:
        return True
    subscription = _subscription_of(order)
    if subscription is None or order.paid_at is None:
        return False
    known = know(subscription)
    return known.paused(order.paid_at) or known.without(order.pk) != known.periods


def raised_until(*, order: PaymentOrder) -> datetime | None:
    """The end of all that a paid upgrade raises to its tier; None where it raises nothing.

    The periods that follow the one it was paid in keep their own orders, so only the fold knows.
    """
    subscription = _subscription_of(order)
    if subscription is None:
        return None
    known = know(subscription)
    before = known.without(order.pk)
    raised = (each for each in known.periods if each.tier == order.tier and each not in before)
    # What was given or sold later goes on with the tier, but wasn't paid for by this.
    quoted = (each for each in raised if each.known_at <= order.created_at)
    return max((each.ends_at for each in quoted), default=None)


def would_take_effect(*, order: PaymentOrder, paid_at: datetime) -> bool:
    """Whether an order that isn't paid yet would buy anything, if it were paid at a moment.

    As `takes_effect`; by what is known now.
    """
    if order.purpose != OrderPurpose.UPGRADE:
        return True
    subscription = _subscription_of(order)
    if subscription is None:
        return False
    known = know(subscription)
    upgrade = Upgrade(
        order.pk, paid_at, order.tier or subscription.tier, quoted_at=order.created_at
    )
    return known.paused(paid_at) or known.including(upgrade) != known.periods


def _subscription_of(order: PaymentOrder) -> Subscription | None:
    if order.instance_id is None:
        return None
    return Subscription.all_objects.filter(instance_id=order.instance_id).first()
