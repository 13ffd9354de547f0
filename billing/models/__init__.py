"""Billing's tables, by noun."""

from billing.models.credit import CreditBalance, CreditEntry
from billing.models.feeds import BankFeed, FeedSilence, StatementMapping
from billing.models.figures import DailyFigure, FigureEntry
from billing.models.goodwill import Goodwill
from billing.models.manual import ManualPayment
from billing.models.order_views import OrderView
from billing.models.orders import PaymentOrder
from billing.models.periods import SubscriptionAdjustment, SubscriptionPeriod
from billing.models.planned import PlannedMatch
from billing.models.receipts import Receipt, ReceiptCounter
from billing.models.refunds import Refund
from billing.models.subscriptions import Subscription, SubscriptionHistory
from billing.models.transfers import BankTransfer, PaymentAllocation

__all__ = [
    "BankFeed",
    "BankTransfer",
    "CreditBalance",
    "CreditEntry",
    "DailyFigure",
    "FeedSilence",
    "FigureEntry",
    "Goodwill",
    "ManualPayment",
    "OrderView",
    "PaymentAllocation",
    "PaymentOrder",
    "PlannedMatch",
    "Receipt",
    "ReceiptCounter",
    "Refund",
    "StatementMapping",
    "Subscription",
    "SubscriptionAdjustment",
    "SubscriptionHistory",
    "SubscriptionPeriod",
]
