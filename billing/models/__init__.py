"""Billing's tables, by noun."""

from billing.models.orders import PaymentOrder
from billing.models.subscriptions import Subscription, SubscriptionHistory

__all__ = ["PaymentOrder", "Subscription", "SubscriptionHistory"]
