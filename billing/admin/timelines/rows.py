"""Which tables know what happened to bank lines, subscriptions, refunds, goodwill, receipts."""

from collections.abc import Sequence

from billing.admin.timelines.money import (
    allocation_events,
    credit_events,
    goodwill_events,
    receipt_events,
    refund_events,
    transfer_events,
    twin_events,
)
from billing.admin.timelines.orders import order_events
from billing.admin.timelines.time import adjustment_events, history_events, period_events
from billing.enums import PaymentType
from billing.models import (
    BankTransfer,
    CreditEntry,
    Goodwill,
    PaymentAllocation,
    PaymentOrder,
    Receipt,
    Refund,
    Subscription,
    SubscriptionAdjustment,
    SubscriptionHistory,
    SubscriptionPeriod,
)
from kitehub.backoffice.mail_events import mail_events
from kitehub.backoffice.timeline import ASKED, Source
from kitehub.models import Email


def transfer_sources(line: BankTransfer) -> Sequence[Source]:
    """What happened to a bank line."""
    allocations = PaymentAllocation.objects.filter(transfer=line)
    return (
        Source(BankTransfer, lambda: [*transfer_events([line]), *twin_events(line)]),
        Source(PaymentAllocation, lambda: allocation_events(allocations, here=BankTransfer)),
        Source(CreditEntry, lambda: credit_events(CreditEntry.objects.filter(transfer=line))),
        Source(Refund, lambda: refund_events(Refund.objects.filter(transfer=line))),
    )


def subscription_sources(own: Subscription) -> Sequence[Source]:
    """What happened to a subscription, and the orders, credit and mails that are about it."""
    history = SubscriptionHistory.objects.filter(subscription=own)
    periods = SubscriptionPeriod.objects.filter(subscription=own)
    adjustments = SubscriptionAdjustment.objects.filter(subscription=own)
    orders = PaymentOrder.all_objects.filter(
        instance_id=own.instance_id, type=PaymentType.SUBSCRIPTION
    ).order_by("-created_at", "-id")
    credit = CreditEntry.objects.filter(instance_id=own.instance_id)
    goodwill = Goodwill.objects.filter(instance_id=own.instance_id)
    mails = Email.objects.filter(instance_id=own.instance_id)
    return (
        Source(SubscriptionHistory, lambda: history_events(history)),
        Source(SubscriptionPeriod, lambda: period_events(periods)),
        Source(SubscriptionAdjustment, lambda: adjustment_events(adjustments)),
        Source(Goodwill, lambda: goodwill_events(goodwill)),
        Source(PaymentOrder, lambda: order_events(orders[:ASKED])),
        Source(CreditEntry, lambda: credit_events(credit)),
        Source(Email, lambda: mail_events(mails)),
    )


def refund_sources(refund: Refund) -> Sequence[Source]:
    """What happened to a refund, and what was booked for it."""
    allocations = PaymentAllocation.objects.filter(refund=refund)
    credit = CreditEntry.objects.none()
    if refund.instance_id is not None:
        # By the instance, which has an index.
        credit = CreditEntry.objects.filter(instance_id=refund.instance_id, refund=refund)
    return (
        Source(Refund, lambda: refund_events(Refund.objects.filter(pk=refund.pk))),
        Source(PaymentAllocation, lambda: allocation_events(allocations, here=Refund)),
        Source(CreditEntry, lambda: credit_events(credit)),
    )


def goodwill_sources(row: Goodwill) -> Sequence[Source]:
    """How goodwill was proposed and decided, and what was given by it: that has the same key."""
    given = SubscriptionAdjustment.objects.filter(pk=row.pk)
    return (
        Source(Goodwill, lambda: goodwill_events(Goodwill.objects.filter(pk=row.pk))),
        Source(CreditEntry, lambda: credit_events(CreditEntry.objects.filter(pk=row.pk))),
        Source(SubscriptionAdjustment, lambda: adjustment_events(given)),
    )


def receipt_sources(receipt: Receipt) -> Sequence[Source]:
    """What happened to a receipt: it was issued, and perhaps made void."""
    first = Receipt.objects.filter(pk=receipt.voids_id or receipt.pk)
    return (Source(Receipt, lambda: receipt_events(first)),)
