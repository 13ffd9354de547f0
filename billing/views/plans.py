"""Tiers and their prices; buying, renewing and changing them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.accounts import NoReceivingAccount
from billing.enums import OrderPurpose, PaymentStatus, PaymentType
from billing.models import PaymentOrder, Subscription
from billing.portal.offers import MONTHS, Offer, Way, offer, offers
from billing.portal.plan_words import feature_words, limit_words
from billing.proration import NothingToUpgrade, Quote
from billing.services import credit, renewals, subscriptions
from billing.services.order_terms import BadOrder, monthly_price_of
from billing.services.orders import open_order
from billing.services.subscriptions import NoSubscription, SubscriptionEnded
from kitehub.enums import InstanceStatus, Tier
from kitehub.models import Instance
from kitehub.plans import PLANS, STORAGE, Plan
from kitehub.portal import actor_of, owner_of
from kitehub.portal.usage import usage_of


@dataclass(frozen=True, slots=True)
class Card:
    """A tier as the page shows it; prices in đồng."""

    offer: Offer
    name: str
    monthly_price: int
    prices: list[tuple[int, int]]
    features: list[tuple[str, bool]]
    current: bool
    next: bool
    quote: Quote | None


@require_http_methods(["GET", "HEAD", "POST"])
@owner_of
def plans(request: HttpRequest, school: Instance) -> HttpResponse:
    """The tiers with their prices; POST orders one of them and leads to its page."""
    at = timezone.now()
    subscription = subscription_of(school)
    if request.method == "POST" and subscription is not None:
        return _order(request, school, subscription, at)
    context = {
        "school": school,
        "subscription": subscription,
        "cards": _cards(school, subscription, at) if subscription else [],
        "renewal": _open_renewal(school, at),
        "credit": credit.balance(instance_id=school.pk),
    }
    return render(request, "billing/plans.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@owner_of
def downgrade(request: HttpRequest, school: Instance, tier: str) -> HttpResponse:
    """What a lower tier would take away; POST asks for it from the end of what is paid on."""
    at = timezone.now()
    subscription = subscription_of(school)
    found = _offer(subscription, tier, at) if subscription else None
    if subscription is None or found is None:
        raise Http404
    if found.way != Way.DOWNGRADE:
        return redirect("plans", school.subdomain)
    if request.method == "POST":
        return _downgrade(request, school, found.tier, at)
    preview = subscriptions.downgrade_preview(
        instance_id=school.pk, tier=found.tier, usage=usage_of(school.pk)
    )
    context = {
        "school": school,
        "subscription": subscription,
        "preview": preview,
        "lost": [feature_words(name) for name in preview.features_lost],
        "exceeded": [limit_words(each.name, each.limit, each.used) for each in preview.exceeded],
        "limits": _limits(PLANS[found.tier]),
    }
    return render(request, "billing/downgrade.html", context)


def subscription_of(school: Instance) -> Subscription | None:
    """The school's subscription, or None where it never had one."""
    return Subscription.objects.of_instance(school.pk).first()


def _open_renewal(school: Instance, at: datetime) -> PaymentOrder | None:
    """The order for the next months that waits to be paid; another order takes its place."""
    orders = PaymentOrder.objects.filter(
        instance=school, type=PaymentType.SUBSCRIPTION, purpose=OrderPurpose.PERIOD
    )
    return orders.in_status(PaymentStatus.PENDING, at=at).first()


# --- The page -----------------------------------------------------------------------------------


def _limits(plan: Plan) -> list[tuple[str, bool]]:
    """The plan's limits in words, and whether it has anything of it."""
    names = [*plan.limitations, STORAGE]
    return [(limit_words(name, plan.limit(name)), plan.limit(name) != 0) for name in names]


def _cards(school: Instance, subscription: Subscription, at: datetime) -> list[Card]:
    found = offers(subscription, at=at, ahead=subscriptions.highest_tier(subscription))
    return [_card(school, subscription, each, at) for each in found]


def _offer(subscription: Subscription, tier: str, at: datetime) -> Offer | None:
    return offer(subscription, tier, at=at, ahead=subscriptions.highest_tier(subscription))


def _card(school: Instance, subscription: Subscription, each: Offer, at: datetime) -> Card:
    plan = PLANS[each.tier]
    price = monthly_price_of(school, each.tier)
    return Card(
        offer=each,
        name=str(each.tier.label),
        monthly_price=price,
        prices=[(count, price * count) for count in MONTHS],
        features=[
            *_limits(plan),
            *((feature_words(name), has) for name, has in plan.features.items()),
        ],
        current=each.tier == subscription.tier,
        next=each.tier == subscription.pending_tier,
        quote=_quote(school, each, at),
    )


def _quote(school: Instance, each: Offer, at: datetime) -> Quote | None:
    if each.way != Way.UPGRADE:
        return None
    try:
        return subscriptions.upgrade_quote(instance_id=school.pk, tier=each.tier, at=at)
    except NothingToUpgrade:
        return None


# --- Orders -------------------------------------------------------------------------------------


def _order(
    request: HttpRequest, school: Instance, subscription: Subscription, at: datetime
) -> HttpResponse:
    """Opens the order that was asked for; what it costs is not taken from a form."""
    found = _offer(subscription, request.POST.get("tier", ""), at)
    if found is None:
        messages.error(request, _("There is no such plan."))
    elif found.way == Way.DOWNGRADE:
        return redirect("downgrade", school.subdomain, found.tier)
    else:
        order = _opened(request, school, found, at)
        if order is not None:
            return redirect("checkout", school.subdomain, order.order_id)
    return redirect("plans", school.subdomain)


def _opened(
    request: HttpRequest, school: Instance, found: Offer, at: datetime
) -> PaymentOrder | None:
    if school.status == InstanceStatus.CLOSED:
        messages.error(request, _("This school is closed."))
        return None
    months = request.POST.get("months", "")
    if found.way != Way.UPGRADE and months not in {str(count) for count in MONTHS}:
        messages.error(request, _("Choose for how many months."))
        return None
    by: dict[str, Any] = {
        "instance": school,
        "tier": found.tier,
        "actor": actor_of(request),
        "at": at,
    }
    try:
        if found.way == Way.UPGRADE:
            return renewals.open_upgrade(**by)
        return open_order(months=int(months), **by)
    except (NoSubscription, SubscriptionEnded, NothingToUpgrade):
        messages.error(request, _("This plan can't be had for what is paid already."))
        return None
    except (BadOrder, NoReceivingAccount):
        messages.error(request, _("This can't be ordered at the moment. Please contact us."))
        return None


def _downgrade(request: HttpRequest, school: Instance, tier: Tier, at: datetime) -> HttpResponse:
    try:
        subscriptions.request_downgrade(
            instance_id=school.pk, tier=tier, at=at, actor=actor_of(request), reason="owner"
        )
    except (subscriptions.NotLower, subscriptions.SubscriptionEnded):
        messages.error(request, _("The subscription has changed meanwhile."))
        return redirect("plans", school.subdomain)
    messages.success(request, _("Noted: the smaller plan begins when what is paid ends."))
    return redirect("subscription", school.subdomain)
