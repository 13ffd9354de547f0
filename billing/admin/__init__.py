"""Billing in the admin, by noun."""

from billing.admin.orders import ORDER_COLOURS, PaymentOrderAdmin
from billing.admin.subscriptions import (
    SUBSCRIPTION_COLOURS,
    Changes,
    SubscriptionAdmin,
    SubscriptionHistoryAdmin,
)

__all__ = [
    "ORDER_COLOURS",
    "SUBSCRIPTION_COLOURS",
    "Changes",
    "PaymentOrderAdmin",
    "SubscriptionAdmin",
    "SubscriptionHistoryAdmin",
]
