"""Billing in the admin, by noun."""

from billing.admin.changes import Changes
from billing.admin.credit import CreditBalanceAdmin, CreditEntryAdmin
from billing.admin.figures import DailyFigureAdmin, FigureEntryAdmin
from billing.admin.goodwill import GoodwillAdmin
from billing.admin.manual_payments import ManualPaymentAdmin
from billing.admin.order_views import OrderViewAdmin
from billing.admin.orders import ORDER_COLOURS, PaymentOrderAdmin
from billing.admin.periods import SubscriptionAdjustmentAdmin, SubscriptionPeriodAdmin
from billing.admin.planned import PlannedMatchAdmin
from billing.admin.receipts import ReceiptAdmin, ReceiptCounterAdmin
from billing.admin.refunds import RefundAdmin
from billing.admin.subscriptions import (
    SUBSCRIPTION_COLOURS,
    SubscriptionAdmin,
    SubscriptionHistoryAdmin,
)
from billing.admin.transfers import (
    BankFeedAdmin,
    BankTransferAdmin,
    FeedSilenceAdmin,
    PaymentAllocationAdmin,
    StatementMappingAdmin,
)

__all__ = [
    "ORDER_COLOURS",
    "SUBSCRIPTION_COLOURS",
    "BankFeedAdmin",
    "BankTransferAdmin",
    "Changes",
    "CreditBalanceAdmin",
    "CreditEntryAdmin",
    "DailyFigureAdmin",
    "FeedSilenceAdmin",
    "FigureEntryAdmin",
    "GoodwillAdmin",
    "ManualPaymentAdmin",
    "OrderViewAdmin",
    "PaymentAllocationAdmin",
    "PaymentOrderAdmin",
    "PlannedMatchAdmin",
    "ReceiptAdmin",
    "ReceiptCounterAdmin",
    "RefundAdmin",
    "StatementMappingAdmin",
    "SubscriptionAdjustmentAdmin",
    "SubscriptionAdmin",
    "SubscriptionHistoryAdmin",
    "SubscriptionPeriodAdmin",
]
