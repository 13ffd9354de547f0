"""A school's subscription: its state, what happens next, what happened; cancelling it."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from billing.dunning import stage
from billing.enums import AdjustmentKind, PaymentStatus, PaymentType, SubscriptionStatus
from billing.models import (
    PaymentOrder,
    Receipt,
    Subscription,
    SubscriptionAdjustment,
    SubscriptionHistory,
    SubscriptionPeriod,
)
from billing.portal.subscription_words import next_steps, period_words, told
from billing.receipts.pages import receipt_file, receipt_page
from billing.services import credit, grace, subscriptions
from billing.services.orders import to_transfer
from billing.views.plans import subscription_of
from kitehub.models import Instance
from kitehub.portal import actor_of, owner_of

SHOWN = 20
_UNDONE = {"cancel": subscriptions.undo_cancel, "downgrade": subscriptions.undo_downgrade}


@require_safe
@owner_of
def subscription(request: HttpRequest, school: Instance) -> HttpResponse:
    """Everything about the school's subscription."""
    at = timezone.now()
    found = subscription_of(school)
    orders = PaymentOrder.objects.filter(instance=school, type=PaymentType.SUBSCRIPTION)
    open_order = orders.in_status(PaymentStatus.PENDING, at=at).first()
    context = {
        "school": school,
        "subscription": found,
        "open_order": open_order,
        "due": to_transfer(open_order) if open_order else 0,
        "credit": credit.balance(instance_id=school.pk),
        "receipts": Receipt.objects.filter(instance=school).order_by("-issued_at", "-number")[
            :SHOWN
        ],
        **(_about(found, at) if found else {}),
    }
    return render(request, "billing/subscription.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@owner_of
def cancel(request: HttpRequest, school: Instance) -> HttpResponse:
    """Asks, and cancels at the end of what is paid."""
    at = timezone.now()
    found = _running(school)
    if found is None:
        return redirect("subscription", school.subdomain)
    if request.method == "POST":
        reason = " ".join(request.POST.get("reason", "").replace("\x00", "").split())[:500]
        try:
            subscriptions.cancel_at_period_end(
                instance_id=school.pk, at=at, actor=actor_of(request), reason=reason
            )
        except subscriptions.SubscriptionEnded:
            messages.error(request, _("The subscription has changed meanwhile."))
        else:
            messages.success(request, _("It is cancelled, from the end of what is paid on."))
        return redirect("subscription", school.subdomain)
    context = {"school": school, "subscription": found}
    return render(request, "billing/cancel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@owner_of
def undo(request: HttpRequest, school: Instance) -> HttpResponse:
    """Takes back a cancellation, or the wish for a lower tier; 404 for anything else.

    Without POST it leads to the button: whoever was signed out meanwhile comes back here by a GET.
    """
    if request.method != "POST":
        return redirect("subscription", school.subdomain)
    undone: Any = _UNDONE.get(request.POST.get("what", ""))
    if undone is None:
        raise Http404
    try:
        undone(instance_id=school.pk, at=timezone.now(), actor=actor_of(request), reason="owner")
    except (subscriptions.SubscriptionEnded, subscriptions.NoSubscription):
        messages.error(request, _("The subscription has changed meanwhile."))
    else:
        messages.success(request, _("Everything stays as it is."))
    return redirect("subscription", school.subdomain)


@require_safe
@owner_of
def receipt(request: HttpRequest, school: Instance, year: int, number: int) -> HttpResponse:
    """A receipt of the school's, as a page."""
    return receipt_page(
        request,
        _receipt(school, year, number),
        pdf_url=reverse("receipt_pdf", args=[school.subdomain, year, number]),
        back_url=reverse("subscription", args=[school.subdomain]),
    )


@require_safe
@owner_of
def receipt_pdf(request: HttpRequest, school: Instance, year: int, number: int) -> HttpResponse:
    """The same as PDF."""
    return receipt_file(_receipt(school, year, number))


# --- Parts --------------------------------------------------------------------------------------


def _about(found: Subscription, at: datetime) -> dict[str, Any]:
    pauses = SubscriptionAdjustment.objects.filter(
        subscription=found,
        kind=AdjustmentKind.PAUSE,
        ends_at__isnull=True,
        voided_at__isnull=True,
        starts_at__lte=at,
    )
    where = stage(
        period_end=found.current_period_end,
        at=at,
        silences=grace.silences(since=found.current_period_end),
        ladder=grace.ladder(),
    )
    periods = SubscriptionPeriod.objects.filter(subscription=found, voided_at__isnull=True)
    extensions = SubscriptionAdjustment.objects.filter(
        subscription=found, kind=AdjustmentKind.EXTENSION, voided_at__isnull=True
    )
    history = SubscriptionHistory.objects.of_subscription(found.pk).with_previous()
    return {
        "steps": next_steps(
            found,
            stage=where,
            coming=periods.filter(starts_at__gt=at)
            .exclude(tier=found.tier)
            .order_by("starts_at")
            .first(),
            renewal_days=settings.KITEHUB_RENEWAL_DAYS,
            paused=pauses.exists(),
            at=at,
        ),
        "running": _is_running(found),
        "undoable": found.status == SubscriptionStatus.CANCELED and at < found.current_period_end,
        "periods": [
            (each, period_words(each))
            for each in periods.select_related("order").order_by("-starts_at")[:SHOWN]
        ],
        "history": told(
            history.order_by("-changed_at", "-id")[:SHOWN],
            list(extensions.order_by("-created_at")[:SHOWN]),
        ),
    }


def _is_running(found: Subscription) -> bool:
    """Whether there is something to cancel."""
    return found.status not in (SubscriptionStatus.CANCELED, SubscriptionStatus.EXPIRED)


def _running(school: Instance) -> Subscription | None:
    found = subscription_of(school)
    return found if found is not None and _is_running(found) else None


def _receipt(school: Instance, year: int, number: int) -> Receipt:
    """A receipt of the school's. Raises Http404."""
    return get_object_or_404(Receipt, instance=school, year=year, number=number)
