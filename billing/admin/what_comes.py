"""What an action has made of orders, bank lines and subscriptions, in lines for its preview."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from billing.enums import PaymentStatus, PaymentType
from billing.models import BankTransfer, PaymentOrder, Subscription, SubscriptionPeriod
from kitehub.backoffice.audit import Refusal, actor_of, reason_of
from kitehub.backoffice.dialogs import Line
from kitehub.display import money
from kitehub.enums import Tier
from kitehub.models import Instance

# The reason of what is only tried.
UNSAID = "–"


def by_whom(request: HttpRequest) -> dict[str, Any]:
    """Who does it, why and when, as services ask for it."""
    return {"actor": actor_of(request), "reason": reason_of(request), "at": timezone.now()}


@contextmanager
def refusing(*errors: type[Exception]) -> Iterator[None]:
    """Tells what a service refuses; its error says it to people."""
    try:
        yield
    except errors as error:
        raise Refusal(str(error)) from error


def day(moment: datetime) -> str:
    """A day in Vietnam."""
    return date_format(timezone.localtime(moment), "SHORT_DATE_FORMAT")


def minute(moment: datetime) -> str:
    """A day in Vietnam and its time."""
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")


def of_order(order: PaymentOrder, amount: int) -> Iterator[Line]:
    """What an order is after some đồng were booked on it, and what begins by it."""
    order = PaymentOrder.all_objects.get(pk=order.pk)  # the caller's is as it was before
    if order.status == PaymentStatus.PAID:
        became = gettext("paid in full")
    elif order.status == PaymentStatus.CANCELLED:
        became = gettext("cancelled: nothing is left that it would buy")
    else:
        became = gettext("%(rest)s still to be paid") % {"rest": money(order.rest)}
    warns = order.status == PaymentStatus.CANCELLED
    yield Line(order.order_id, f"{money(amount)} · {became}", warns)
    if order.type == PaymentType.SUBSCRIPTION and order.status == PaymentStatus.PAID:
        yield from of_periods(order)


def of_line(transfer: BankTransfer) -> Line:
    """What is left of a bank line."""
    transfer.refresh_from_db()
    if not transfer.unmatched:
        return Line(gettext("Left of the transfer"), gettext("nothing"))
    left = gettext("%(left)s, which goes on waiting") % {"left": money(transfer.unmatched)}
    return Line(gettext("Left of the transfer"), left, warns=True)


def of_time(before: Subscription, after: Subscription) -> Iterator[Line]:
    """What is other than before in a subscription: its end, its state, its tier and price."""
    ends = day(before.current_period_end), day(after.current_period_end)
    yield Line(gettext("Paid until"), _became(*ends))
    states = str(before.get_status_display()), str(after.get_status_display())
    yield Line(gettext("State"), _became(*states))
    if (before.tier, before.monthly_price) != (after.tier, after.monthly_price):
        tiers = str(Tier(before.tier).label), str(Tier(after.tier).label)
        yield Line(gettext("Tier"), _became(*tiers))
        prices = money(before.monthly_price), money(after.monthly_price)
        yield Line(gettext("Price per month"), _became(*prices))


def of_school(instance: Instance | None) -> Iterator[Line]:
    """Whose it is."""
    if instance is not None:
        yield Line(gettext("School"), f"{instance.organization_name} ({instance.subdomain})")


def other_orders(instance_id: Any, tier: Tier) -> Iterator[Line]:
    """A school's open orders for another tier than it is to have: who pays one has that."""
    for order in PaymentOrder.objects.pending().of_instance(instance_id).filter(tier__isnull=False):
        if order.tier != tier:
            said = f"{money(order.rest)} · {order.get_tier_display()}"
            yield Line(f"{gettext('Open order')} {order.order_id}", said, warns=True)


def codes(orders: Iterable[PaymentOrder]) -> str:
    """The codes of some orders."""
    return ", ".join(order.order_id for order in orders)


def _became(before: str, after: str) -> str:
    return after if before == after else f"{before} → {after}"


def of_periods(order: PaymentOrder) -> Iterator[Line]:
    """The time that an order has bought."""
    found = SubscriptionPeriod.objects.filter(order=order, voided_at__isnull=True)
    for period in found.order_by("starts_at"):
        span = f"{day(period.starts_at)} – {day(period.ends_at)}"
        yield Line(gettext("Period that it pays"), f"{period.get_tier_display()} · {span}")
