"""The lifecycles of payment orders, refunds, payments by hand, goodwill, subscriptions."""

from billing.enums import (
    GoodwillStatus,
    ManualPaymentStatus,
    PaymentStatus,
    RefundStatus,
    SubscriptionStatus,
)
from kitehub.db.lifecycle import Lifecycle

PAYMENT_ORDER = Lifecycle(
    table="payment_orders",
    follows={
        PaymentStatus.PENDING.value: ("PAID", "EXPIRED", "CANCELLED"),
        # Late money is money.
        PaymentStatus.EXPIRED.value: ("PAID",),
        PaymentStatus.PAID.value: (),
        PaymentStatus.CANCELLED.value: (),
    },
)

REFUND = Lifecycle(
    table="refunds",
    follows={
        RefundStatus.REQUESTED.value: ("APPROVED", "REJECTED"),
        RefundStatus.APPROVED.value: ("SENT",),
        RefundStatus.SENT.value: (),
        RefundStatus.REJECTED.value: (),
    },
)

MANUAL_PAYMENT = Lifecycle(
    table="manual_payments",
    follows={
        ManualPaymentStatus.REQUESTED.value: ("CONFIRMED", "REJECTED"),
        ManualPaymentStatus.CONFIRMED.value: (),
        ManualPaymentStatus.REJECTED.value: (),
    },
)

GOODWILL = Lifecycle(
    table="goodwill_grants",
    follows={
        GoodwillStatus.PROPOSED.value: ("APPROVED", "DECLINED", "WITHDRAWN"),
        GoodwillStatus.APPROVED.value: (),
        GoodwillStatus.DECLINED.value: (),
        GoodwillStatus.WITHDRAWN.value: (),
        GoodwillStatus.GIVEN.value: (),
    },
)

# CANCELED to ACTIVE only before the period's end: a condition of its own in the database.
SUBSCRIPTION = Lifecycle(
    table="subscriptions",
    follows={
        SubscriptionStatus.TRIAL.value: ("ACTIVE", "CANCELED", "EXPIRED"),
        SubscriptionStatus.ACTIVE.value: ("PAST_DUE", "CANCELED", "EXPIRED"),
        SubscriptionStatus.PAST_DUE.value: ("ACTIVE", "CANCELED", "EXPIRED"),
        SubscriptionStatus.CANCELED.value: ("ACTIVE", "EXPIRED"),
        SubscriptionStatus.EXPIRED.value: ("ACTIVE",),
    },
)
