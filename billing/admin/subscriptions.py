"""Subscriptions and their history in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from billing.admin.changes import Changes
from billing.admin.details import SubscriptionDetails
from billing.admin.plan_changes import ChangesPlans
from billing.admin.staff_time import KeepsTime
from billing.admin.stored_words import actor_words, reason_words
from billing.admin.what_comes import day
from billing.admin.why_blocked import LeadsToWhyBlocked
from billing.enums import SubscriptionStatus
from billing.models import Subscription, SubscriptionHistory
from kitehub.backoffice import AuditAdmin, RecordAdmin
from kitehub.backoffice.base import RECORD_FIELDSET
from kitehub.backoffice.differences import in_words
from kitehub.backoffice.exports import Column, amount
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.backoffice.names import instances_at
from kitehub.backoffice.tabs import tabs_of
from kitehub.display import money

# Each status is there: of one that is missing, unfold shows the code.
SUBSCRIPTION_COLOURS = {
    SubscriptionStatus.TRIAL.value: "info",
    SubscriptionStatus.ACTIVE.value: "success",
    SubscriptionStatus.PAST_DUE.value: "warning",
    SubscriptionStatus.CANCELED.value: "default",
    SubscriptionStatus.EXPIRED.value: "danger",
}


class HistoryInline(Changes, TabularInline):
    """A subscription's changes, newest first."""

    model = SubscriptionHistory
    extra = 0
    can_delete = False
    hide_title = True
    fields = ("changed_at", "changes_text", "by_text", "why_text")
    readonly_fields = fields
    per_page = 20

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: the database writes it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: the database writes it."""
        return False


@admin.register(Subscription)
class SubscriptionAdmin(
    SubscriptionDetails, ChangesPlans, KeepsTime, LeadsToWhyBlocked, RecordAdmin
):
    """Subscriptions, with everything that ever changed in them."""

    actions: ClassVar[Any] = (*RecordAdmin.actions, "extend_all")
    actions_detail: ClassVar[Any] = (
        "why",
        *RecordAdmin.actions_detail,
        "extend",
        "pause",
        "unpause",
        "change_tier",
        "lower",
        "keep_tier",
        "stop",
        "go_on",
    )
    spelling: ClassVar = {"monthly_price": money}
    refusals: ClassVar[dict[str, Any]] = {
        "guard_subscriptions_revival": _(
            "Nothing was saved: a cancelled subscription comes back only before its period ends."
        ),
    }
    list_display = (
        "instance_text",
        "status_label",
        "tier",
        "price_text",
        "current_period_start",
        "current_period_end",
        "canceled_at",
    )
    export_columns: ClassVar = (
        Column("instance__organization_name", _("instance")),
        "instance__subdomain",
        Column("instance__owner__email", _("owner")),
        "status",
        "tier",
        amount("monthly_price"),
        "billing_months",
        "current_period_start",
        "current_period_end",
        "trial_end",
        "pending_tier",
        "canceled_at",
        "created_at",
        "id",
    )
    list_filter = (("current_period_end", DayRangeFilter), "tier")
    tabs = tabs_of("status", SubscriptionStatus)
    nothing_yet = _("A school has its subscription from when it is opened.")
    list_select_related = ("instance",)
    ordering = ("current_period_end",)
    search_uuids = ("id", "instance_id")
    search_help_text = _("Subdomain or ID")
    autocomplete_fields = ("instance",)
    inlines = (HistoryInline,)
    # State and dates follow from what is paid, given, paused and ended; the tier and the price are
    # changed by actions, which also tell the instance's database.
    frozen = (
        "instance",
        "tier",
        "pending_tier",
        "status",
        "current_period_start",
        "current_period_end",
        "trial_end",
        "canceled_at",
    )
    readonly_fields = (*RecordAdmin.readonly_fields, "price_text")
    fieldsets = (
        (None, {"fields": ("instance", ("tier", "status"), ("price_text", "pending_tier"))}),
        (
            _("Period"),
            {
                "fields": (
                    "current_period_start",
                    "current_period_end",
                    "trial_end",
                    "canceled_at",
                )
            },
        ),
        RECORD_FIELDSET,
    )

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: a school has its subscription from when it is opened."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """All that a page shows: actions change it."""
        own = super().get_readonly_fields(request, obj)
        return own if obj is None else (*own, *self.frozen)

    def related_matches(self, term: str) -> Q:
        """The subscription of the instance with this subdomain."""
        instances = instances_at(term)
        return Q(instance_id__in=instances) if instances else Q()

    @display(description=_("instance"), ordering="instance__organization_name")
    def instance_text(self, subscription: Subscription) -> str:
        """The instance's name, or its id where the instance is gone."""
        return str(subscription.instance or subscription.instance_id)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Of one that is cancelled and still runs, the page says until when beside its state."""
        if obj is not None and (ends := _ends(obj)):
            kwargs["help_texts"] = {"status": ends}
        return super().get_form(request, obj, change=change, **kwargs)

    @display(description=_("status"), ordering="status", label=SUBSCRIPTION_COLOURS)
    def status_label(self, subscription: Subscription) -> tuple[str, str]:
        """The status as a coloured label; of one that is cancelled and still runs, until when."""
        said = _ends(subscription) or subscription.get_status_display()
        return subscription.status, said

    @display(description=_("price per month"), ordering="monthly_price")
    def price_text(self, subscription: Subscription) -> str:
        """The price as money."""
        return money(subscription.monthly_price)


def _ends(row: Subscription) -> str:
    """When one ends that is cancelled; nothing of one that isn't, or has ended."""
    if row.status != SubscriptionStatus.CANCELED or row.current_period_end <= timezone.now():
        return ""
    said = gettext("Ends with its period (%(day)s)")
    return said % {"day": day(row.current_period_end)}


@admin.register(SubscriptionHistory)
class SubscriptionHistoryAdmin(Changes, AuditAdmin):
    """Every change of every subscription."""

    nothing_yet = _("Every change of a subscription is written here by itself.")
    list_display = (
        "changed_at",
        "instance_text",
        "status_label",
        "changes_text",
        "by_text",
        "why_text",
    )
    export_columns: ClassVar = (
        "changed_at",
        Column("subscription__instance__organization_name", _("instance")),
        "status",
        "tier",
        amount("monthly_price"),
        "current_period_start",
        "current_period_end",
        "trial_end",
        "canceled_at",
        Column("changed_by", words=actor_words),
        Column("change_reason", words=reason_words),
        "id",
    )
    list_filter = (("changed_at", DayRangeFilter),)
    tabs = tabs_of("status", SubscriptionStatus)
    list_select_related = ("subscription__instance",)
    search_uuids = ("id", "subscription_id")
    search_help_text = _("Subdomain or ID")
    fields = (
        "subscription",
        ("changed_at", "by_text"),
        "why_text",
        "changes_text",
        ("status", "tier", "price_text"),
        ("current_period_start", "current_period_end"),
        ("trial_end", "canceled_at", "deleted_text"),
    )
    readonly_fields = ("changes_text", "price_text", "deleted_text", "by_text", "why_text")

    def related_matches(self, term: str) -> Q:
        """The history of the instance with this subdomain."""
        owned = Subscription.all_objects.filter(instance_id__in=instances_at(term))
        found = list(owned.values_list("id", flat=True))
        return Q(subscription_id__in=found) if found else Q()

    @display(description=_("instance"))
    def instance_text(self, change: SubscriptionHistory) -> str:
        """The instance's name, or its id where the instance is gone."""
        return str(change.subscription.instance or change.subscription.instance_id)

    @display(description=_("status"), ordering="status", label=SUBSCRIPTION_COLOURS)
    def status_label(self, change: SubscriptionHistory) -> tuple[str, str]:
        """The status as a coloured label."""
        return change.status, change.get_status_display()

    @display(description=_("price per month"), ordering="monthly_price")
    def price_text(self, change: SubscriptionHistory) -> str:
        """The price as money."""
        return money(change.monthly_price)

    @display(description=_("deleted"))
    def deleted_text(self, change: SubscriptionHistory) -> str:
        """In words: a red cross for "no" would look like an alarm."""
        return in_words(change._meta.get_field("deleted"), change.deleted)
