"""The page of an order: how to pay it, what has come, and at last that it is paid."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from billing import banks, qr
from billing.enums import CreditKind, OrderPurpose, PaymentStatus, PaymentType, ViewChannel
from billing.models import BankTransfer, CreditEntry, PaymentOrder
from billing.qr_links import qr_path
from billing.receipts.texts import upgrade_words
from billing.services import credit, subscriptions
from billing.services.order_views import note_view
from billing.services.orders import payload_of, status_of, to_transfer
from billing.services.releasing import IN_VAIN
from kitehub.enums import Tier
from kitehub.models import Instance
from kitehub.portal import owner_of

# How often the page asks, in milliseconds.
POLL = 3_000
# How many lines that wait are looked at for one order.
_MOST_WAITING = 20


@dataclass(frozen=True, slots=True)
class Checkout:
    """An order as its page shows it. `state` is its status by the clock."""

    order: PaymentOrder
    state: str
    due: int
    bank: str
    svg: str
    # What came for it and is the school's credit, in đồng; whether as nothing was left to upgrade.
    kept: int
    vain: bool

    @property
    def fingerprint(self) -> str:
        """Another one for everything that the page would show otherwise."""
        order = self.order
        return f"{self.state}-{order.paid_amount}-{order.refunded_amount}-{self.due}"


def checkout_of(order: PaymentOrder, *, at: datetime) -> Checkout:
    """What to show of an order at a moment."""
    payload = payload_of(order, at=at)
    bank = banks.bank(order.bank_bin or "")
    released = {} if payload else _released(order)
    return Checkout(
        order=order,
        state=status_of(order, at=at).value,
        due=to_transfer(order),
        bank=bank.short_name if bank else (order.bank_bin or ""),
        svg=qr.svg(payload) if payload else "",
        kept=sum(released.values()),
        vain=IN_VAIN in released,
    )


def _released(order: PaymentOrder) -> dict[str, int]:
    """What came for an order that wasn't carried out and is credit, in đồng, by why."""
    entries = CreditEntry.objects.filter(order=order, kind=CreditKind.RELEASED)
    return dict(entries.values_list("reason").annotate(Sum("amount")))


@require_safe
@owner_of
def checkout(request: HttpRequest, school: Instance, code: str) -> HttpResponse:
    """How to pay an order of the school's."""
    order = _order(school, code)
    context = _context(school, order)
    # The page then asks for its inner part alone, which is no new look at it.
    if context["checkout"].svg and request.method == "GET":  # type: ignore[attr-defined]
        note_view(order_id=order.pk, channel=ViewChannel.PORTAL, at=timezone.now())
    return render(request, "billing/checkout.html", context)


@require_safe
@owner_of
def checkout_state(request: HttpRequest, school: Instance, code: str) -> HttpResponse:
    """The page's inner part, where it has changed since what the page has (`known`); else 204."""
    context = _context(school, _order(school, code))
    if context["checkout"].fingerprint == request.GET.get("known"):  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    return render(request, "billing/checkout_state.html", context)


def _order(school: Instance, code: str) -> PaymentOrder:
    """An order that the school pays to KiteHub. Raises Http404."""
    orders = PaymentOrder.objects.filter(instance=school, type=PaymentType.SUBSCRIPTION)
    order = orders.filter(order_id=code).first()
    if order is None:
        raise Http404
    return order


def _context(school: Instance, order: PaymentOrder) -> dict[str, object]:
    shown = checkout_of(order, at=timezone.now())
    state_url = reverse("checkout_state", args=[school.subdomain, order.order_id])
    return {
        "school": school,
        "order": order,
        "checkout": shown,
        **_bought(order),
        **_closed(order, shown.state),
        "poll_url": f"{state_url}?{urlencode({'known': shown.fingerprint})}",
        "poll": POLL,
        "image_path": qr_path(order.order_id, "png"),
    }


def _bought(order: PaymentOrder) -> dict[str, object]:
    """What a paid order bought, and what more came than it asked for."""
    if order.status != PaymentStatus.PAID:
        return {}
    excess = credit.excess_of(order=order)
    if order.purpose == OrderPurpose.UPGRADE and order.tier:
        until = subscriptions.raised_until(order=order)
        return {"excess": excess, "upgrade": upgrade_words(Tier(order.tier), until)}
    return {"excess": excess, "period": order.periods.filter(voided_at__isnull=True).first()}


def _closed(order: PaymentOrder, state: str) -> dict[str, object]:
    """What replaced an order that is over, and where the money is that was sent to it."""
    if state not in (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED):
        return {}
    waiting = BankTransfer.objects.waiting_with([order.order_id]).money_in()
    lines = waiting.filter(instance__isnull=True)[:_MOST_WAITING]
    return {
        "successor": _successor(order),
        "waiting": sum(line.unmatched for line in lines),
    }


def _successor(order: PaymentOrder) -> PaymentOrder | None:
    """The last of the orders that replaced it."""
    last = None
    following = order.superseded_by
    while following is not None and following.instance_id == order.instance_id:
        last, following = following, following.superseded_by
    return last
