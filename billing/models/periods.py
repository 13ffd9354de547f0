"""The time of subscriptions: each period with what it was paid by, and what staff changed."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.enums import AdjustmentKind, GapReason, PeriodKind
from billing.models.subscriptions import Subscription
from billing.querysets import SubscriptionAdjustmentQuerySet
from kitehub.db.base import Identified
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.enums import Tier


class SubscriptionAdjustment(Identified):
    """An extension or a pause by staff. It stays as it was made, but a pause ends once."""

    archived = False

    subscription = models.ForeignKey(
        Subscription,
        models.PROTECT,
        db_index=False,
        related_name="adjustments",
        verbose_name=_("subscription"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=AdjustmentKind.choices)
    days = models.SmallIntegerField(_("days"), null=True, blank=True)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=500)
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    created_by = models.CharField(_("created by"), max_length=100)
    voided_at = models.DateTimeField(_("voided at"), null=True, blank=True)
    voided_by = models.CharField(_("voided by"), max_length=100, null=True, blank=True)

    objects = SubscriptionAdjustmentQuerySet.as_manager()

    class Meta:
        db_table = "subscription_adjustments"
        db_table_comment = "Extensions and pauses of subscriptions by staff"
        verbose_name = _("subscription adjustment")
        verbose_name_plural = _("subscription adjustments")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="EXTENSION", days__range=(1, 3660), ends_at__isnull=True)
                | Q(kind="PAUSE", days__isnull=True)
                & (Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at"))),
                name="subscription_adjustments_kind_check",
            ),
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(kind="PAUSE", ends_at__isnull=True, voided_at__isnull=True),
                name="subscription_adjustments_open_pause_key",
            ),
        ]
        indexes: ClassVar = [
            Index(
                fields=["subscription", "starts_at"],
                name="idx_subscription_adjustments_subscription",
            ),
            Index(fields=["-starts_at", "-id"], name="idx_subscription_adjustments_list"),
            Index(
                fields=["kind", "-starts_at", "-id"], name="idx_subscription_adjustments_list_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.starts_at:%d/%m/%Y}"


class SubscriptionPeriod(Identified):
    """A stretch of time that an instance has a tier for, and why. Times are UTC, the end excluded.

    The rows that aren't voided are the subscription's time now; the database refuses two of them
    that overlap, and one that leaves a gap without a reason. A change voids rows and adds others,
    so what was believed at any moment stays on record. The bank lines that paid for a period are
    those of its order's allocations.
    """

    archived = False

    subscription = models.ForeignKey(
        Subscription,
        models.PROTECT,
        db_index=False,
        related_name="periods",
        verbose_name=_("subscription"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=PeriodKind.choices)
    tier = models.CharField(_("tier"), max_length=20, choices=Tier.choices)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    order = models.ForeignKey(
        "billing.PaymentOrder",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="periods",
        verbose_name=_("payment order"),
    )
    adjustment = models.ForeignKey(
        SubscriptionAdjustment,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="periods",
        verbose_name=_("adjustment"),
    )
    gap_reason = models.CharField(
        _("why not from the end of the one before"),
        max_length=20,
        choices=GapReason.choices,
        null=True,
        blank=True,
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    created_by = models.CharField(_("created by"), max_length=100, blank=True)
    voided_at = models.DateTimeField(_("voided at"), null=True, blank=True)
    voided_by = models.CharField(_("voided by"), max_length=100, null=True, blank=True)
    void_reason = models.CharField(_("why voided"), max_length=500, null=True, blank=True)

    class Meta:
        db_table = "subscription_periods"
        db_table_comment = "The time of subscriptions, and what it was paid by"
        verbose_name = _("subscription period")
        verbose_name_plural = _("subscription periods")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="subscription_periods_ends_check"
            ),
            models.CheckConstraint(
                condition=Q(tier__in=Tier.values), name="subscription_periods_tier_check"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["PAID", "UPGRADE"], order__isnull=False)
                | Q(kind__in=["TRIAL", "CARRIED"], order__isnull=True, adjustment__isnull=True)
                | Q(
                    kind__in=["EXTENSION", "RESUMED"],
                    order__isnull=True,
                    adjustment__isnull=False,
                ),
                name="subscription_periods_kind_check",
            ),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, voided_by__isnull=True)
                | Q(voided_at__isnull=False, voided_by__isnull=False),
                name="subscription_periods_voided_check",
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(voided_at__isnull=True, order__isnull=False),
                name="subscription_periods_order_key",
            ),
        ]
        indexes: ClassVar = [
            # Lists of the back office: the order of each, behind what it is narrowed by.
            Index(fields=["-starts_at", "-id"], name="idx_subscription_periods_list"),
            Index(fields=["kind", "-starts_at", "-id"], name="idx_subscription_periods_list_kind"),
            Index(
                fields=["order"],
                name="idx_subscription_periods_order",
                condition=Q(order__isnull=False),
            ),
            Index(
                fields=["subscription", "starts_at"], name="idx_subscription_periods_subscription"
            ),
            Index(
                fields=["starts_at"],
                condition=Q(voided_at__isnull=True),
                name="idx_subscription_periods_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_tier_display()} {self.starts_at:%d/%m/%Y}–{self.ends_at:%d/%m/%Y}"
