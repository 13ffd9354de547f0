"""Subscriptions and their history in the admin."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from billing.admin.staff_time import KeepsTime
from billing.admin.stored_words import actor_words, reason_words
from billing.enums import SubscriptionStatus
from billing.lifecycles import SUBSCRIPTION
from billing.models import Subscription, SubscriptionHistory
from billing.querysets import PLANNED_STATE, STATE
from kitehub.backoffice import AuditAdmin, RecordAdmin
from kitehub.backoffice.base import RECORD_FIELDSET
from kitehub.backoffice.differences import differences, in_words, label_of, plain_values
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.backoffice.names import instances_at
from kitehub.display import money

# Each status is there: of one that is missing, unfold shows the code.
SUBSCRIPTION_COLOURS = {
    SubscriptionStatus.TRIAL.value: "info",
    SubscriptionStatus.ACTIVE.value: "success",
    SubscriptionStatus.PAST_DUE.value: "warning",
    SubscriptionStatus.CANCELED.value: "default",
    SubscriptionStatus.EXPIRED.value: "danger",
}


class Changes:
    """For the admin of the history: what each row changed against the one before."""

    spelling: ClassVar = {"monthly_price": money}
    ordering = ("-changed_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SubscriptionHistory]:
        """Each row with the one before."""
        rows: Any = super().get_queryset(request)  # type: ignore[misc]
        return rows.with_previous()  # type: ignore[no-any-return]

    @display(description=_("changed by"), ordering="changed_by")
    def by_text(self, row: SubscriptionHistory) -> str:
        """A program by what it does."""
        return actor_words(row.changed_by)

    @display(description=_("reason"), ordering="change_reason")
    def why_text(self, row: SubscriptionHistory) -> str:
        """Why, in words."""
        return reason_words(row.change_reason)

    @display(description=_("what changed"))
    def changes_text(self, row: SubscriptionHistory) -> str:
        """A line for each field that changed; for the first row, what it starts with."""
        return format_html_join("", "<div>{}</div>", ((line,) for line in self.lines(row)))

    def lines(self, row: SubscriptionHistory) -> Iterable[str]:
        """What a row changed, in words."""
        before: dict[str, Any] | None = row.previous  # type: ignore[attr-defined]
        if before is None:
            return [gettext("Begins with:"), *self._state(row)]
        # Rows that the plan's trigger wrote don't know the rest.
        both_know = before["deleted"] is not None and row.deleted is not None
        after = plain_values(row, STATE if both_know else PLANNED_STATE)
        changed = [str(it) for it in differences(row, before, after, self.spelling)]
        return changed or [gettext("Nothing that is kept here.")]

    def _state(self, row: SubscriptionHistory) -> list[str]:
        fields: list[Any] = [row._meta.get_field(name) for name in PLANNED_STATE]
        return [
            f"{label_of(field)}: "
            f"{in_words(field, getattr(row, field.name), self.spelling.get(field.name))}"
            for field in fields
        ]


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
class SubscriptionAdmin(KeepsTime, RecordAdmin):
    """Subscriptions, with everything that ever changed in them."""

    actions: ClassVar[Any] = (*RecordAdmin.actions, "extend_all")
    actions_detail: ClassVar[Any] = (
        *RecordAdmin.actions_detail,
        "extend",
        "pause",
        "unpause",
        "stop",
        "go_on",
    )
    lifecycle = SUBSCRIPTION
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
    list_filter = ("status", "tier", ("current_period_end", DayRangeFilter))
    list_select_related = ("instance",)
    ordering = ("current_period_end",)
    date_hierarchy = "current_period_end"
    search_uuids = ("id", "instance_id")
    search_help_text = _("Subdomain or ID")
    autocomplete_fields = ("instance",)
    inlines = (HistoryInline,)
    # Dates follow from what is paid, given and paused; the tier is changed on the instance's page,
    # which also tells the instance's database.
    frozen = ("instance", "tier", "current_period_start", "current_period_end", "trial_end")
    fieldsets = (
        (None, {"fields": ("instance", ("tier", "status"), "monthly_price")}),
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
        """A subscription stays with its instance; its time and its tier follow from elsewhere."""
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

    @display(description=_("status"), ordering="status", label=SUBSCRIPTION_COLOURS)
    def status_label(self, subscription: Subscription) -> tuple[str, str]:
        """The status as a coloured label."""
        return subscription.status, subscription.get_status_display()

    @display(description=_("price per month"), ordering="monthly_price")
    def price_text(self, subscription: Subscription) -> str:
        """The price as money."""
        return money(subscription.monthly_price)


@admin.register(SubscriptionHistory)
class SubscriptionHistoryAdmin(Changes, AuditAdmin):
    """Every change of every subscription."""

    list_display = (
        "changed_at",
        "instance_text",
        "status_label",
        "changes_text",
        "by_text",
        "why_text",
    )
    list_filter = ("status", "tier", ("changed_at", DayRangeFilter))
    list_select_related = ("subscription__instance",)
    date_hierarchy = "changed_at"
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
