"""The time of subscriptions in the admin: periods, and what staff changed."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.models import SubscriptionAdjustment, SubscriptionPeriod
from kitehub.backoffice import AuditAdmin
from kitehub.backoffice.exports import Column
from kitehub.backoffice.filters import DayRangeFilter


@admin.register(SubscriptionPeriod)
class SubscriptionPeriodAdmin(AuditAdmin):
    """Every period, also those that no longer hold."""

    list_display = (
        "instance_text",
        "tier",
        "kind",
        "starts_at",
        "ends_at",
        "order",
        "gap_reason",
        "voided_at",
    )
    export_columns: ClassVar = (
        Column("subscription__instance__organization_name", _("instance")),
        "subscription__instance__subdomain",
        "tier",
        "kind",
        "starts_at",
        "ends_at",
        "order__order_id",
        "gap_reason",
        "voided_at",
        "void_reason",
        "id",
    )
    list_filter = ("kind", "tier", ("starts_at", DayRangeFilter))
    list_select_related = ("subscription__instance", "order")
    ordering = ("-starts_at",)
    search_uuids = ("id", "subscription_id", "order_id")
    search_help_text = _("ID")

    @display(description=_("instance"))
    def instance_text(self, period: SubscriptionPeriod) -> str:
        """The instance's name, or its id where the instance is gone."""
        return str(period.subscription.instance or period.subscription.instance_id)


@admin.register(SubscriptionAdjustment)
class SubscriptionAdjustmentAdmin(AuditAdmin):
    """Extensions and pauses by staff."""

    list_display = (
        "instance_text",
        "kind",
        "days",
        "starts_at",
        "ends_at",
        "reason",
        "created_by",
        "voided_at",
    )
    export_columns: ClassVar = (
        Column("subscription__instance__organization_name", _("instance")),
        "subscription__instance__subdomain",
        "kind",
        "days",
        "starts_at",
        "ends_at",
        "reason",
        "created_by",
        "created_at",
        "voided_at",
        "voided_by",
        "id",
    )
    list_filter = ("kind", ("starts_at", DayRangeFilter))
    list_select_related = ("subscription__instance",)
    ordering = ("-starts_at",)
    search_uuids = ("id", "subscription_id")
    search_help_text = _("ID")

    @display(description=_("instance"))
    def instance_text(self, adjustment: SubscriptionAdjustment) -> str:
        """The instance's name, or its id where the instance is gone."""
        return str(adjustment.subscription.instance or adjustment.subscription.instance_id)
