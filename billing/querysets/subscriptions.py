"""Filters on subscriptions and their history."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import JSONObject

from billing.enums import AdjustmentKind, SubscriptionStatus
from kitehub.db.querysets import RecordQuerySet

if TYPE_CHECKING:
    from billing.models import Subscription, SubscriptionAdjustment, SubscriptionHistory


class SubscriptionQuerySet(RecordQuerySet["Subscription"]):
    """Subscriptions."""

    def active(self) -> Self:
        """Subscriptions that are paid for."""
        return self.filter(status=SubscriptionStatus.ACTIVE)

    def period_ending(self, *, before: datetime) -> Self:
        """Subscriptions whose period ends before a moment, the first to end first.

        With `active()`, on idx_subscriptions_status_period_end; else idx_subscriptions_period_end.
        """
        return self.filter(current_period_end__lt=before).order_by("current_period_end")

    def of_instance(self, instance_id: UUID) -> Self:
        """The subscription of one instance."""
        return self.filter(instance_id=instance_id)


class SubscriptionAdjustmentQuerySet(models.QuerySet["SubscriptionAdjustment"]):
    """Extensions and pauses by staff."""

    def valid(self) -> Self:
        """Those that nobody has voided."""
        return self.filter(voided_at__isnull=True)

    def pauses(self, *, at: datetime) -> Self:
        """Pauses within which a moment lies."""
        ends = Q(ends_at__isnull=True) | Q(ends_at__gt=at)
        return self.valid().filter(ends, kind=AdjustmentKind.PAUSE, starts_at__lte=at)

    def open_pauses(self) -> Self:
        """Pauses that nobody has ended (subscription_adjustments_open_pause_key)."""
        return self.valid().filter(kind=AdjustmentKind.PAUSE, ends_at__isnull=True)


# What a row of the history says of its subscription; the plan's trigger wrote the first three.
PLANNED_STATE = ("tier", "status", "monthly_price")
STATE = (
    *PLANNED_STATE,
    "current_period_start",
    "current_period_end",
    "trial_end",
    "canceled_at",
    "deleted",
)


class SubscriptionHistoryQuerySet(models.QuerySet["SubscriptionHistory"]):
    """The audit trail of subscriptions."""

    def of_subscription(self, subscription_id: UUID) -> Self:
        """One subscription's changes, newest first (idx_subscription_history_previous)."""
        return self.filter(subscription_id=subscription_id).order_by("-changed_at")

    def with_previous(self) -> Self:
        """Adds `previous`: what the subscription's row before this one says, a dict of STATE.

        None for the first. It looks past the filters of this queryset, so that a row is compared
        with what it really followed.
        """
        earlier = Q(changed_at__lt=OuterRef("changed_at"))
        at_once = Q(changed_at=OuterRef("changed_at"), id__lt=OuterRef("id"))
        before = self.model._base_manager.filter(
            earlier | at_once, subscription=OuterRef("subscription")
        ).order_by("-changed_at", "-id")
        state = JSONObject(**{name: name for name in STATE})
        return self.annotate(previous=Subquery(before.values(state=state)[:1]))
