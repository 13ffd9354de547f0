"""The time of subscriptions in the admin: periods, and what staff changed."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.enums import AdjustmentKind, PeriodKind
from billing.models import Subscription, SubscriptionAdjustment, SubscriptionPeriod
from kitehub.backoffice import AuditAdmin
from kitehub.backoffice.exports import Column
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.backoffice.names import instances_at
from kitehub.backoffice.tabs import tabs_of


@admin.register(SubscriptionPeriod)
class SubscriptionPeriodAdmin(AuditAdmin):
    """Every period, also those that no longer hold."""

    nothing_yet = _("A period is written when an order for it is paid.")
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
    list_filter = (("starts_at", DayRangeFilter),)
    tabs = tabs_of("kind", PeriodKind)
    list_select_related = ("subscription__instance", "order")
    ordering = ("-starts_at",)
    search_uuids = ("id", "subscription_id", "order_id")
    search_help_text = _("Subdomain or ID")

    def related_matches(self, term: str) -> Q:
        """Those of the instance with this subdomain."""
        return _of_subdomain(term)

    @display(description=_("instance"))
    def instance_text(self, period: SubscriptionPeriod) -> str:
        """The instance's name, or its id where the instance is gone."""
        return str(period.subscription.instance or period.subscription.instance_id)


@admin.register(SubscriptionAdjustment)
class SubscriptionAdjustmentAdmin(AuditAdmin):
    """Extensions and pauses by staff."""

    nothing_yet = _("Give days, or pause, on the page of a subscription.")
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
    list_filter = (("starts_at", DayRangeFilter),)
    tabs = tabs_of("kind", AdjustmentKind)
    list_select_related = ("subscription__instance",)
    ordering = ("-starts_at",)
    search_uuids = ("id", "subscription_id")
    search_help_text = _("Subdomain or ID")

    def related_matches(self, term: str) -> Q:
        """Those of the instance with this subdomain."""
        return _of_subdomain(term)

    @display(description=_("instance"))
    def instance_text(self, adjustment: SubscriptionAdjustment) -> str:
        """The instance's name, or its id where the instance is gone."""
        return str(adjustment.subscription.instance or adjustment.subscription.instance_id)


def _of_subdomain(term: str) -> Q:
    """What belongs to the subscription of the instance with this subdomain."""
    instances = instances_at(term)
    found = Subscription.all_objects.filter(instance_id__in=instances) if instances else ()
    keys = [each.pk for each in found]
    return Q(subscription_id__in=keys) if keys else Q()
