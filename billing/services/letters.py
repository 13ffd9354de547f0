"""The mails about subscriptions: to whom, about what, with which facts in them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from billing.dunning import Reminder
from billing.models import PaymentOrder, Subscription
from billing.services.orders import to_transfer
from kitehub.models import Email
from kitehub.services import emails

RENEWAL = "renewal"
REMINDER = "reminder"
PAYMENT = "payment"


def renewal_opened(*, order: PaymentOrder, subscription: Subscription) -> bool:
    """Asks for the mail with the order for the next period; False if it was asked for before."""
    return _ask(
        subscription,
        reason=f"renewal:{order.order_id}",
        template=RENEWAL,
        context={**_facts(subscription), **_payment(order)},
    )


def order_again(*, order: PaymentOrder, subscription: Subscription, at: datetime) -> bool:
    """Asks for a mail with an order's payment; False if somebody did within the same minute.

    Whatever the order is for: an upgrade has no months, and a first order ends nothing.
    """
    return _ask(
        subscription,
        reason=f"payment:{order.order_id}:{at:%Y-%m-%dT%H:%M}",
        template=PAYMENT,
        context={**_facts(subscription), **_payment(order)},
    )


def reminder(*, reminder: Reminder, subscription: Subscription, order: PaymentOrder | None) -> bool:
    """Asks for a reminder of a period's end; False if it was asked for before."""
    return _ask(
        subscription,
        reason=reason_of(subscription.pk, reminder),
        template=REMINDER,
        context={
            **_facts(subscription),
            **(_payment(order) if order else {}),
            "days": reminder.days,
        },
    )


def reason_of(subscription_id: UUID, reminder: Reminder) -> str:
    """What a reminder is about: once a subscription, a period's end and a number of days."""
    return f"{subscription_id}:{reminder.key}"


def asked(reasons: Collection[str]) -> set[str]:
    """Which reasons somebody has been written to for, or will be; one query."""
    found = Email.objects.filter(reason__in=reasons)
    return set(found.values_list("reason", flat=True))


def _facts(subscription: Subscription) -> dict[str, Any]:
    return {
        "school": str(subscription.instance),
        "subdomain": subscription.instance.subdomain if subscription.instance else "",
        "tier": subscription.tier,
        "status": subscription.status,
        "trial": subscription.trial_end is not None
        and subscription.current_period_end <= subscription.trial_end,
        "ends_at": _iso(subscription.current_period_end),
    }


def _payment(order: PaymentOrder) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "order_tier": order.tier,
        "months": order.months,
        "amount": to_transfer(order),
        "memo": order.memo,
        "bank_bin": order.bank_bin,
        "account_number": order.account_number,
        "account_name": order.account_name,
        "qr_image_url": order.qr_image_url,
        "expires_at": _iso(order.expires_at),
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat()


def _ask(
    subscription: Subscription, *, reason: str, template: str, context: Mapping[str, Any]
) -> bool:
    """Puts a mail to the owner into the queue, in the caller's transaction.

    False if it is there already, and where there is no owner, or no school any more to pay for.
    """
    instance = subscription.instance
    if instance is None or instance.is_gone or instance.owner is None:
        return False
    return emails.queue(
        to=instance.owner.email,
        reason=reason,
        template=template,
        context=context,
        language=instance.owner.mail_language,
        instance=instance,
    )
