"""Every write to billing's tables, by noun, and what they look up for it."""

from billing.services.expiry import EXPIRY_BATCH, Expiry, expire_overdue
from billing.services.order_terms import BadOrder
from billing.services.orders import OrderClosed, cancel_order, open_order
from billing.services.settlement import settle_transfer
from billing.services.subscriptions import SubscriptionEnded, change_terms

__all__ = [
    "EXPIRY_BATCH",
    "BadOrder",
    "Expiry",
    "OrderClosed",
    "SubscriptionEnded",
    "cancel_order",
    "change_terms",
    "expire_overdue",
    "open_order",
    "settle_transfer",
]
