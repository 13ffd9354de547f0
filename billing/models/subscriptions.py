"""Subscriptions: what an instance pays for, and everything that ever changed in it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.enums import SubscriptionStatus
from billing.querysets import SubscriptionHistoryQuerySet, SubscriptionQuerySet
from kitehub.db.base import Identified, Record
from kitehub.db.constraints import deletion_agrees
from kitehub.db.fields import EnumField, LooseOneToOneField
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.db.querysets import AliveManager
from kitehub.enums import Tier


class Subscription(Record):
    """What an instance pays for, and until when (plan, V6). One an instance; price in đồng."""

    instance = LooseOneToOneField(
        "kitehub.Instance", related_name="subscription", verbose_name=_("instance")
    )
    tier = models.CharField(_("tier"), max_length=20, choices=Tier.choices)
    monthly_price = models.BigIntegerField(_("price per month"))
    status = EnumField(
        _("status"),
        enum=SubscriptionStatus,
        enum_type="subscription_status",
        db_default=SubscriptionStatus.TRIAL.value,
    )
    current_period_start = models.DateTimeField(_("period starts"))
    current_period_end = models.DateTimeField(
        _("period ends"), db_comment="When current billing period ends (renewal date)"
    )
    trial_end = models.DateTimeField(
        _("trial ends"),
        null=True,
        blank=True,
        db_comment="Trial end date (14 days from trial_started_at)",
    )
    canceled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    # V17's.
    pending_tier = models.CharField(
        _("tier from the next period on"),
        max_length=20,
        choices=Tier.choices,
        null=True,
        blank=True,
        db_comment="A downgrade that waits for the end of what is paid",
    )
    billing_months = models.SmallIntegerField(
        _("months a renewal"), db_default=1, db_comment="How many months a renewal order is for"
    )

    objects = AliveManager.from_queryset(SubscriptionQuerySet)()
    all_objects = SubscriptionQuerySet.as_manager()

    class Meta:
        db_table = "subscriptions"
        db_table_comment = "Subscription lifecycle management"
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        permissions: ClassVar = [
            ("extend_subscription", "Can give days and pause subscriptions"),
            ("change_plan", "Can change the tier of subscriptions, and cancel them"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(tier__in=Tier.values), name="subscriptions_tier_check"
            ),
            models.CheckConstraint(
                condition=Q(monthly_price__gt=0), name="subscriptions_monthly_price_check"
            ),
            deletion_agrees("subscriptions"),
            models.CheckConstraint(
                condition=Q(pending_tier__in=Tier.values), name="subscriptions_pending_tier_check"
            ),
            models.CheckConstraint(
                condition=Q(billing_months__range=(1, 36)),
                name="subscriptions_billing_months_check",
            ),
        ]
        indexes: ClassVar = [
            # Lists of the back office: the order of each, behind what it is narrowed by.
            Index(
                fields=["status", "current_period_end", "id"],
                name="idx_subscriptions_list_status",
                condition=Q(deleted=False),
            ),
            Index(
                fields=["tier", "current_period_end", "id"],
                name="idx_subscriptions_list_tier",
                condition=Q(deleted=False),
            ),
            Index(
                fields=["current_period_end", "id"],
                name="idx_subscriptions_deleted",
                condition=Q(deleted=True),
            ),
            Index(fields=["instance"], name="idx_subscriptions_instance"),
            Index(fields=["status"], name="idx_subscriptions_status"),
            Index(fields=["current_period_end"], name="idx_subscriptions_period_end"),
            Index(
                fields=["status", "current_period_end"],
                name="idx_subscriptions_status_period_end",
                condition=Q(status=SubscriptionStatus.ACTIVE.value),
            ),
            # Not the plan's: trials by their end.
            Index(
                fields=["current_period_end"],
                name="idx_subscriptions_trials",
                condition=Q(status=SubscriptionStatus.TRIAL.value, deleted=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instance or self.instance_id} · {self.get_tier_display()}"


class SubscriptionHistory(Identified):
    """One change of a subscription, written by the database's trigger and by nothing else."""

    # The plan's constraint is not deferrable, Django's would be: it is in the migration's SQL.
    subscription = models.ForeignKey(
        Subscription,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="history",
        verbose_name=_("subscription"),
    )
    tier = models.CharField(_("tier"), max_length=20, choices=Tier.choices)
    status = EnumField(_("status"), enum=SubscriptionStatus, enum_type="subscription_status")
    monthly_price = models.BigIntegerField(_("price per month"))
    changed_at = models.DateTimeField(_("changed at"), db_default=Now())
    changed_by = models.CharField(_("changed by"), max_length=100, null=True, blank=True)
    change_reason = models.CharField(_("reason"), max_length=500, null=True, blank=True)
    # From here on V10's: unknown in the rows that the plan's trigger wrote.
    current_period_start = models.DateTimeField(_("period starts"), null=True)
    current_period_end = models.DateTimeField(_("period ends"), null=True)
    trial_end = models.DateTimeField(_("trial ends"), null=True)
    canceled_at = models.DateTimeField(_("cancelled at"), null=True)
    deleted = models.BooleanField(_("deleted"), null=True)

    objects = SubscriptionHistoryQuerySet.as_manager()

    class Meta:
        db_table = "subscription_history"
        db_table_comment = "Audit trail for subscription changes"
        verbose_name = _("subscription change")
        verbose_name_plural = _("subscription history")
        indexes: ClassVar = [
            # Lists of the back office: the order of each, behind what it is narrowed by.
            Index(
                fields=["status", "-changed_at", "-id"], name="idx_subscription_history_list_status"
            ),
            # Each row of a list is compared with the one before.
            Index(
                fields=["subscription", "-changed_at", "-id"],
                name="idx_subscription_history_previous",
            ),
            Index(fields=["subscription"], name="idx_subscription_history_subscription"),
            Index(fields=["-changed_at"], name="idx_subscription_history_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} · {self.get_status_display()}"
