"""Every reusable filter on billing's tables, by noun."""

from billing.querysets.orders import PaymentOrderQuerySet
from billing.querysets.subscriptions import (
    PLANNED_STATE,
    STATE,
    SubscriptionAdjustmentQuerySet,
    SubscriptionHistoryQuerySet,
    SubscriptionQuerySet,
)
from billing.querysets.transfers import BankTransferQuerySet

__all__ = [
    "PLANNED_STATE",
    "STATE",
    "BankTransferQuerySet",
    "PaymentOrderQuerySet",
    "SubscriptionAdjustmentQuerySet",
    "SubscriptionHistoryQuerySet",
    "SubscriptionQuerySet",
]
