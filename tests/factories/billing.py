"""Payment orders and subscriptions."""

from datetime import timedelta
from random import Random

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from billing.enums import PaymentStatus, PaymentType, SubscriptionStatus
from billing.models import (
    BankFeed,
    BankTransfer,
    CreditEntry,
    FeedSilence,
    Goodwill,
    ManualPayment,
    OrderView,
    PaymentAllocation,
    PaymentOrder,
    PlannedMatch,
    Receipt,
    Refund,
    StatementMapping,
    Subscription,
    SubscriptionAdjustment,
    SubscriptionHistory,
    SubscriptionPeriod,
)
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


class OrderViewFactory(DjangoModelFactory[OrderView]):
    """A QR code that was shown once in the portal."""

    class Meta:
        model = OrderView

    order = factory.SubFactory(PaymentOrderFactory)
    channel = "PORTAL"
    first_at = factory.LazyFunction(timezone.now)
    last_at = factory.SelfAttribute("first_at")


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


class BankTransferFactory(DjangoModelFactory[BankTransfer]):
    """Money that came just now and that nothing was made of."""

    class Meta:
        model = BankTransfer

    provider = "SEPAY"
    provider_id = factory.Sequence(lambda n: str(92704 + n))
    account_number = "0123499999"
    amount = 299_000
    memo = factory.Sequence(lambda n: f"NGUYEN VAN A chuyen tien {n}")
    transferred_at = factory.LazyFunction(timezone.now)
    received_at = factory.SelfAttribute("transferred_at")


class ManualPaymentFactory(DjangoModelFactory[ManualPayment]):
    """Cash that somebody says they have in hand; nobody has confirmed it."""

    class Meta:
        model = ManualPayment

    order = factory.SubFactory(PaymentOrderFactory)
    kind = "CASH"
    amount = 299_000
    received_at = factory.LazyFunction(timezone.now)
    reference = factory.Sequence(lambda n: f"PT-{n:05}")
    reference_key = factory.LazyAttribute(lambda it: it.reference.replace("-", ""))
    evidence = "Phiếu thu tay, chị Hoa giữ"
    reason = "Khách trả tiền mặt"
    requested_by = "lan"


class GoodwillFactory(DjangoModelFactory[Goodwill]):
    """Credit that somebody proposes for a school; nobody has decided it."""

    class Meta:
        model = Goodwill

    instance = factory.SubFactory(InstanceFactory)
    kind = "CREDIT"
    amount = 50_000
    reason = "Xin lỗi vì sự cố"
    proposed_by = "lan"


class PlannedMatchFactory(DjangoModelFactory[PlannedMatch]):
    """An assignment of a line that waits, not booked yet."""

    class Meta:
        model = PlannedMatch

    transfer = factory.SubFactory(BankTransferFactory, state="UNMATCHED")
    order = factory.SubFactory(PaymentOrderFactory)
    amount = factory.SelfAttribute("transfer.amount")
    reason = "Số tiền bằng nhau"
    created_by = "lan"
    due_at = factory.LazyFunction(timezone.now)


class PaymentAllocationFactory(DjangoModelFactory[PaymentAllocation]):
    """All of a bank line for an order that asks for as much."""

    class Meta:
        model = PaymentAllocation

    transfer = factory.SubFactory(BankTransferFactory)
    order = factory.SubFactory(PaymentOrderFactory)
    amount = factory.SelfAttribute("transfer.amount")


class BankFeedFactory(DjangoModelFactory[BankFeed]):
    """A feed that was heard of just now."""

    class Meta:
        model = BankFeed

    provider = "SEPAY"
    account_number = factory.Sequence(lambda n: f"01234{n:05}")
    last_seen_at = factory.LazyFunction(timezone.now)


class FeedSilenceFactory(DjangoModelFactory[FeedSilence]):
    """A silence that goes on."""

    class Meta:
        model = FeedSilence

    feed = factory.SubFactory(BankFeedFactory)
    starts_at = factory.LazyFunction(timezone.now)


class StatementMappingFactory(DjangoModelFactory[StatementMapping]):
    """A bank's columns."""

    class Meta:
        model = StatementMapping

    name = factory.Sequence(lambda n: f"Vietcombank {n}")
    mapping = factory.LazyFunction(dict)


class SubscriptionAdjustmentFactory(DjangoModelFactory[SubscriptionAdjustment]):
    """A week for nothing."""

    class Meta:
        model = SubscriptionAdjustment

    subscription = factory.SubFactory(SubscriptionFactory)
    kind = "EXTENSION"
    days = 7
    starts_at = factory.LazyFunction(timezone.now)
    reason = "Bank was down"
    created_by = "lan@kitehub.test"


class SubscriptionPeriodFactory(DjangoModelFactory[SubscriptionPeriod]):
    """What the subscription says, as found."""

    class Meta:
        model = SubscriptionPeriod

    subscription = factory.SubFactory(SubscriptionFactory)
    kind = "CARRIED"
    tier = factory.SelfAttribute("subscription.tier")
    starts_at = factory.SelfAttribute("subscription.current_period_start")
    ends_at = factory.SelfAttribute("subscription.current_period_end")


class CreditEntryFactory(DjangoModelFactory[CreditEntry]):
    """A gift."""

    class Meta:
        model = CreditEntry

    instance = factory.SubFactory(InstanceFactory)
    amount = 50_000
    kind = "GRANTED"


class RefundFactory(DjangoModelFactory[Refund]):
    """A request to pay an order back."""

    class Meta:
        model = Refund

    source = "ORDER"
    order = factory.SubFactory(PaymentOrderFactory, paid=True)
    instance = factory.SelfAttribute("order.instance")
    amount = factory.SelfAttribute("order.amount")
    reason = "Paid twice"
    requested_by = "lan@kitehub.test"


class ReceiptFactory(DjangoModelFactory[Receipt]):
    """A receipt for an order; the database gives it its number."""

    class Meta:
        model = Receipt

    kind = "RECEIPT"
    order = factory.SubFactory(PaymentOrderFactory, paid=True)
    instance = factory.SelfAttribute("order.instance")
    amount = factory.SelfAttribute("order.amount")
    content = factory.LazyFunction(dict)
    issued_at = factory.LazyFunction(timezone.now)
    year = 0
    number = 0
