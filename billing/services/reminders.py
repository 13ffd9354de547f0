"""Owners are reminded of the end of what is paid: 7, 3 and 1 days before, that day, and 3 after."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from billing.dunning import REMINDERS, due_reminders
from billing.enums import OrderPurpose, PaymentStatus, PaymentType
from billing.models import PaymentOrder, Subscription
from billing.services import letters

logger = logging.getLogger(__name__)
REMINDER_BATCH = 500
# A reminder that is later than this isn't sent any more.
LATEST = timedelta(days=7)

# Since when an end has been what it is: the last fact that it follows from. Whoever had days given
# or paid late isn't reminded of what would have been due before.
_ENDING = """
    SELECT own.current_period_end, own.id, (
        SELECT max(COALESCE(bought.paid_at, changed.ends_at, changed.starts_at, period.starts_at))
        FROM subscription_periods period
        LEFT JOIN payment_orders bought ON bought.id = period.order_id
        LEFT JOIN subscription_adjustments changed ON changed.id = period.adjustment_id
        WHERE period.subscription_id = own.id AND period.voided_at IS NULL
    )
    FROM subscriptions own
    WHERE own.current_period_end BETWEEN %(first)s AND %(last)s
        AND NOT own.deleted AND own.status <> 'CANCELED' AND own.canceled_at IS NULL
        AND (own.current_period_end, own.id) > (%(since)s, %(after)s)
        AND NOT EXISTS (
            SELECT FROM subscription_adjustments paused
            WHERE paused.subscription_id = own.id AND paused.kind = 'PAUSE'
                AND paused.ends_at IS NULL AND paused.voided_at IS NULL
        )
    ORDER BY own.current_period_end, own.id
    LIMIT %(size)s
"""


@dataclass(frozen=True, slots=True)
class Reminders:
    """What a run of `remind_due` did: mails newly asked for, and those that couldn't be."""

    asked: int
    failed: int = 0


def remind_due(*, at: datetime, batch: int = REMINDER_BATCH) -> Reminders:
    """Asks for the mails that remind owners of the end of their period, each once.

    A late run asks for the newest of the last week that each is due, and for no older one: nobody
    gets two at once. What is cancelled or paused isn't reminded of, nor is what has been paid
    for meanwhile, nor a school that is closed. The mail has the open order for the next period, if
    there is one. Each batch is a transaction of its own; a mail that can't be asked for keeps no
    other back. Raises ValueError for a batch below 1.
    """
    if batch < 1:
        raise ValueError("A batch has at least one subscription.")
    asked = failed = 0
    since, after = _first(at), UUID(int=0)
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                _ENDING,
                {
                    "first": _first(at),
                    "last": _last(at),
                    "since": since,
                    "after": after,
                    "size": batch,
                },
            )
            found = cursor.fetchall()
            done = _remind(found, at=at)
        asked, failed = asked + done.asked, failed + done.failed
        if len(found) < batch:
            return Reminders(asked, failed)
        since, after = found[-1][:2]


def _first(at: datetime) -> datetime:
    """The earliest end that a reminder may still be due for."""
    return at - LATEST - timedelta(days=max(REMINDERS) + 1)


def _last(at: datetime) -> datetime:
    return at + timedelta(days=1 - min(REMINDERS))


def _remind(found: Iterable[tuple[datetime, UUID, datetime | None]], *, at: datetime) -> Reminders:
    earliest = at - LATEST
    due = {
        letters.reason_of(pk, each): (pk, each)
        for end, pk, known in found
        # The newest says all that an older one would have.
        for each in due_reminders(end, max(known or earliest, earliest), at)[-1:]
    }
    new = [due[reason] for reason in due.keys() - letters.asked(due.keys())]
    rows = Subscription.objects.select_related("instance__owner").in_bulk([pk for pk, _ in new])
    pending = PaymentOrder.objects.filter(
        instance_id__in=[row.instance_id for row in rows.values()],
        type=PaymentType.SUBSCRIPTION,
        status=PaymentStatus.PENDING,
        expires_at__gt=at,
        # An upgrade buys no time: who paid it would think that the end had moved.
    ).exclude(purpose=OrderPurpose.UPGRADE)
    orders = {order.instance_id: order for order in pending}
    asked = failed = 0
    for pk, each in sorted(new, key=lambda it: (it[1].due_at, it[0])):
        try:
            with transaction.atomic():
                asked += letters.reminder(
                    reminder=each, subscription=rows[pk], order=orders.get(rows[pk].instance_id)
                )
        except Exception:
            logger.exception("The owner of subscription %s can't be reminded", pk)
            failed += 1
    return Reminders(asked, failed)
