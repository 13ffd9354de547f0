"""Events of payment orders, and all that happened to one."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext, ngettext

from billing.admin.stored_words import actor_words, reason_words
from billing.admin.timelines import money as booked
from billing.admin.timelines import time as given
from billing.enums import PaymentStatus
from billing.models import (
    BankTransfer,
    CreditEntry,
    OrderView,
    PaymentAllocation,
    PaymentOrder,
    Receipt,
    Refund,
    SubscriptionPeriod,
)
from kitehub.backoffice.mail_events import mail_events
from kitehub.backoffice.references import To
from kitehub.backoffice.timeline import ASKED, BEGUN, FOLLOWED, TOLD, Event, Source
from kitehub.display import money
from kitehub.models import Email

_LINES = 20


def order_sources(order: PaymentOrder) -> Sequence[Source]:
    """The tables that know what happened to an order; each is one query or two."""
    allocations = PaymentAllocation.objects.filter(order=order)
    return (
        Source(PaymentOrder, lambda: order_events([order], here=True)),
        Source(OrderView, lambda: view_events(OrderView.objects.filter(order=order))),
        Source(BankTransfer, lambda: booked.transfer_events(_lines(order, allocations))),
        Source(PaymentAllocation, lambda: booked.allocation_events(allocations, here=PaymentOrder)),
        Source(CreditEntry, lambda: booked.credit_events(CreditEntry.objects.filter(order=order))),
        Source(Refund, lambda: booked.refund_events(Refund.objects.filter(order=order))),
        Source(Receipt, lambda: booked.receipt_events(Receipt.objects.filter(order=order))),
        Source(SubscriptionPeriod, lambda: given.period_events(_periods(order))),
        Source(Email, lambda: mail_events(_mails(order))),
    )


def order_events(orders: Iterable[PaymentOrder], *, here: bool = False) -> list[Event]:
    """How orders began and ended; on an order's own page they needn't be named."""
    return [event for order in orders for event in _life(order, here=here)]


def _life(order: PaymentOrder, *, here: bool) -> list[Event]:
    to = None if here else To(PaymentOrder, order.pk)
    said: dict[str, Any] = {"order": order.order_id, "amount": money(order.amount)}

    def event(at: Any, what: str, name: str, icon: str, **told: Any) -> Event:
        return Event(
            at=at, what=what % said, key=f"order:{order.pk}:{name}", icon=icon, to=to, **told
        )

    found = [
        event(
            order.created_at,
            gettext("Order %(order)s opened: %(amount)s"),
            "opened",
            "add_shopping_cart",
            rank=BEGUN,
            actor=actor_words(order.created_by),
        )
    ]
    if order.paid_at:
        reference = order.transaction_reference or ""
        more = gettext("Bank reference: %(reference)s") % {"reference": reference}
        found.append(
            event(
                order.paid_at,
                gettext("Order %(order)s paid"),
                "paid",
                "paid",
                rank=FOLLOWED,
                more=more if reference else "",
            )
        )
    if order.cancelled_at:
        found.append(
            event(
                order.cancelled_at,
                gettext("Order %(order)s cancelled"),
                "cancelled",
                "cancel",
                rank=FOLLOWED,
                why=reason_words(order.cancel_reason),
            )
        )
    if order.status == PaymentStatus.EXPIRED:
        found.append(
            event(
                order.expires_at,
                gettext("Order %(order)s expired"),
                "expired",
                "timer_off",
                rank=FOLLOWED,
            )
        )
    return found


def view_events(views: Iterable[OrderView]) -> list[Event]:
    """When the QR code was shown first, and when last: at most two of each place."""
    found = []
    for view in views:
        said = {"where": view.get_channel_display()}
        found.append(
            Event(
                at=view.first_at,
                what=gettext("QR code shown for the first time: %(where)s") % said,
                key=f"view:{view.pk}:first",
                icon="qr_code_2",
                rank=BEGUN,
            )
        )
        if view.times > 1:
            times = ngettext("%(times)s time in all", "%(times)s times in all", view.times)
            found.append(
                Event(
                    at=view.last_at,
                    what=gettext("QR code shown last: %(where)s") % said,
                    key=f"view:{view.pk}:last",
                    icon="qr_code_2",
                    rank=TOLD,
                    more=times % {"times": view.times},
                )
            )
    return found


def _lines(order: PaymentOrder, allocations: Any) -> list[BankTransfer]:
    """The bank lines that pay an order, and those that name it and wait for a person."""
    paying = allocations.filter(transfer__isnull=False).values("transfer_id")
    found = list(BankTransfer.objects.filter(pk__in=paying).order_by("-received_at")[:ASKED])
    waiting = BankTransfer.objects.waiting_with([order.order_id]).order_by("-received_at")
    known = {line.pk for line in found}
    return [*found, *(line for line in waiting[:_LINES] if line.pk not in known)]


def _periods(order: PaymentOrder) -> QuerySet[SubscriptionPeriod]:
    if order.instance_id is None:
        return SubscriptionPeriod.objects.none()
    # By the subscription, which has an index; an order's voided periods have none.
    return SubscriptionPeriod.objects.filter(
        subscription__instance_id=order.instance_id, order=order
    )


def _mails(order: PaymentOrder) -> QuerySet[Email]:
    if order.instance_id is None:
        return Email.objects.none()
    named = Q(reason=f"renewal:{order.order_id}") | Q(context__order_id=order.order_id)
    return Email.objects.filter(named, instance_id=order.instance_id)
