"""Every write to billing's tables, by noun."""

from billing.services.expiry import EXPIRY_BATCH, Expiry, expire_overdue
from billing.services.subscriptions import SubscriptionEnded, change_terms

__all__ = ["EXPIRY_BATCH", "Expiry", "SubscriptionEnded", "change_terms", "expire_overdue"]
