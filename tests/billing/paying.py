"""Schools whose subscription is paid, and orders that are paid by a bank line."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from billing.models import PaymentOrder, Subscription, SubscriptionPeriod
from billing.services.subscriptions import apply_payment
from kitehub.db.acting import acting
from kitehub.enums import Tier
from kitehub.models import Instance
from kitehub.plans import PLANS
from tests.billing.timelines import spans
from tests.factories.billing import (
    BankTransferFactory,
    PaymentAllocationFactory,
    PaymentOrderFactory,
    SubscriptionFactory,
)
from tests.factories.kitehub import InstanceFactory

TRIAL = timedelta(days=14)


def trial_school(at: datetime, tier: Tier = Tier.BASIC) -> Instance:
    """A school that opened on a trial."""
    school = InstanceFactory(tier=tier, trial_started_at=at, trial_expires_at=at + TRIAL)
    SubscriptionFactory(
        instance=school,
        tier=tier,
        status="TRIAL",
        current_period_start=at,
        current_period_end=at + TRIAL,
        trial_end=at + TRIAL,
    )
    return school


def paid_school(starts: datetime, ends: datetime, tier: Tier = Tier.BASIC) -> Instance:
    """A school that had paid before periods were kept."""
    school = InstanceFactory(tier=tier, status="ACTIVE")
    SubscriptionFactory(
        instance=school, tier=tier, current_period_start=starts, current_period_end=ends
    )
    return school


def order_of(school: Instance, tier: Tier = Tier.BASIC, **terms: Any) -> PaymentOrder:
    amount = (terms.get("months") or 1) * PLANS[tier].monthly_price
    terms = {"purpose": "PERIOD", "amount": amount, "tier": tier, "months": 1, **terms}
    return PaymentOrderFactory(instance=school, **terms)


# An order as they were before orders knew what they buy.
OLD = {"purpose": None, "months": None}


def allocate(order: PaymentOrder, at: datetime, told: datetime | None = None) -> PaymentOrder:
    """What settlement does before it tells the subscription."""
    line = BankTransferFactory(amount=order.amount, transferred_at=at)
    PaymentAllocationFactory(transfer=line, order=order, amount=order.amount, created_at=told or at)
    order.refresh_from_db()
    order.status, order.paid_at, order.transaction_reference = "PAID", at, line.provider_id
    order.save(update_fields=["status", "paid_at", "transaction_reference"])
    return order


def buy(
    school: Instance,
    at: datetime,
    tier: Tier = Tier.BASIC,
    terms: dict[str, Any] | None = None,
    *,
    told: datetime | None = None,
) -> PaymentOrder:
    """A paid order, of whose money the subscription was told at once or later."""
    told = told or at
    with transaction.atomic(), acting("bank", at=told):
        order = allocate(order_of(school, tier, **(terms or {})), at, told)
        apply_payment(order=order, at=told)
    return order


def give_back(order: PaymentOrder) -> None:
    """All of an order's money goes back to its bank lines."""
    for row in order.allocations.filter(reverses=None):
        PaymentAllocationFactory(
            transfer=row.transfer, order=order, amount=-row.amount, reverses=row
        )


def subscription(school: Instance) -> Subscription:
    return Subscription.objects.get(instance=school)


def written(school: Instance) -> list[tuple[str, str, str]]:
    """The periods that are written down as days and tiers."""
    rows = SubscriptionPeriod.objects.filter(
        subscription__instance=school, voided_at__isnull=True
    ).order_by("starts_at")
    return spans(rows)  # type: ignore[arg-type]
