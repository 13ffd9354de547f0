"""Payment orders and subscriptions."""

from datetime import timedelta
from random import Random

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from billing.enums import PaymentStatus, PaymentType, SubscriptionStatus
from billing.models import PaymentOrder, Subscription, SubscriptionHistory
from billing.order_codes import draw_code
from kitehub.enums import Tier
from kitehub.plans import PLANS
from tests.factories.kitehub import InstanceFactory, UserFactory


class PaymentOrderFactory(DjangoModelFactory[PaymentOrder]):
    """An order for a month of its tier, open for a day; with the trait `paid`, a paid one."""

    class Meta:
        model = PaymentOrder

    class Params:
        paid = factory.Trait(
            status=PaymentStatus.PAID,
            paid_at=factory.LazyFunction(timezone.now),
            transaction_reference=factory.Sequence(lambda n: f"FT26{n:08}"),
        )

    order_id = factory.Sequence(lambda n: draw_code(Random(n).choice))  # noqa: S311
    type = PaymentType.SUBSCRIPTION
    instance = factory.SubFactory(InstanceFactory)
    user = factory.LazyAttribute(
        lambda order: order.instance.owner if order.instance else UserFactory()
    )
    tier = Tier.BASIC
    amount = factory.LazyAttribute(lambda order: PLANS[order.tier].monthly_price)
    status = PaymentStatus.PENDING
    payment_content = factory.LazyAttribute(lambda order: f"KITEHUB {order.order_id}")
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=24))


class SubscriptionFactory(DjangoModelFactory[Subscription]):
    """A paid month that began now."""

    class Meta:
        model = Subscription

    instance = factory.SubFactory(InstanceFactory)
    tier = Tier.BASIC
    monthly_price = factory.LazyAttribute(lambda paid: PLANS[paid.tier].monthly_price)
    status = SubscriptionStatus.ACTIVE
    current_period_start = factory.LazyFunction(timezone.now)
    current_period_end = factory.LazyAttribute(
        lambda paid: paid.current_period_start + timedelta(days=30)
    )


class SubscriptionHistoryFactory(DjangoModelFactory[SubscriptionHistory]):
    """A line of history for lists to show; real ones come from the database's trigger."""

    class Meta:
        model = SubscriptionHistory

    subscription = factory.SubFactory(SubscriptionFactory)
    tier = factory.SelfAttribute("subscription.tier")
    status = factory.SelfAttribute("subscription.status")
    monthly_price = factory.SelfAttribute("subscription.monthly_price")
