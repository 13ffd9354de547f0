"""The mails about subscriptions: to whom, about what, with which facts in them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from billing.dunning import Reminder
from billing.models import PaymentOrder, Subscription
from billing.services.orders import to_transfer
from kitehub.models import Email, Instance, User
from kitehub.services import emails

RENEWAL = "renewal"
REMINDER = "reminder"


def renewal_opened(*, order: PaymentOrder, subscription: Subscription) -> bool:
    """Asks for the mail with the order for the next period; False if it was asked for before."""
    return _ask(
        subscription,
        reason=f"renewal:{order.order_id}",
        template=RENEWAL,
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
    return _asked(reasons)


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
    instance = subscription.instance
    owner = instance.owner if instance else None
    if instance is None or owner is None:
        return False
    return _queue(owner=owner, reason=reason, template=template, context=context, instance=instance)


# --- The queue ----------------------------------------------------------------------------------


def _queue(
    *, owner: User, reason: str, template: str, context: Mapping[str, Any], instance: Instance
) -> bool:
    """Puts a mail into the queue, in the caller's transaction; False if it is there already."""
    return emails.queue(
        to=owner.email, reason=reason, template=template, context=context, instance=instance
    )


def _asked(reasons: Collection[str]) -> set[str]:
    """Which of the reasons are in the queue of mail already."""
    found = Email.objects.filter(reason__in=reasons)
    return set(found.values_list("reason", flat=True))
