"""Periods: what each school's orders bought, folded from its life as the services fold it."""

from datetime import datetime
from random import Random

from billing.enums import PaymentStatus
from billing.models import SubscriptionPeriod
from billing.periods import Fact, Opening, Payment, timeline
from billing.services.settlement import ACTOR
from kitehub.demo.chance import random_id
from kitehub.demo.subscriptions import GRACE, Life


def periods(life: Life, rng: Random) -> list[SubscriptionPeriod]:
    """A school's periods, each written when its order was paid; the trial's on the first day."""
    paid = {order.pk: order for order in life.orders if order.status == PaymentStatus.PAID}
    facts: list[Fact] = []
    if life.trial_end is not None:
        facts.append(Opening(life.born, life.trial_end, str(life.school.tiers[0])))
    for order in paid.values():
        assert order.paid_at is not None  # noqa: S101 - a paid one has it
        facts.append(Payment(order.pk, order.paid_at, str(order.tier), order.months or 1))
    rows = []
    for period in timeline(facts, grace=GRACE):
        order_or_none = paid.get(period.source) if period.source else None
        written: datetime = order_or_none.updated_at if order_or_none else life.born
        rows.append(
            SubscriptionPeriod(
                id=random_id(rng),
                subscription=life.subscription,
                kind=period.kind.value,
                tier=period.tier,
                starts_at=period.starts_at,
                ends_at=period.ends_at,
                order=order_or_none,
                gap_reason=period.gap_reason.value or None,
                created_at=written,
                created_by=ACTOR if order_or_none else life.owner.email,
            )
        )
    return rows
