"""Payment orders and subscriptions in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from billing.enums import PaymentStatus, SubscriptionStatus
from billing.models import PaymentOrder, Subscription, SubscriptionHistory
from kitehub.backoffice import AuditAdmin, RecordAdmin
from kitehub.backoffice.base import RECORD_FIELDSET
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.display import money
from kitehub.models import Instance, User

ORDER_COLOURS = {
    PaymentStatus.PENDING.value: "warning",
    PaymentStatus.PAID.value: "success",
    PaymentStatus.EXPIRED.value: "danger",
}
SUBSCRIPTION_COLOURS = {
    SubscriptionStatus.TRIAL.value: "info",
    SubscriptionStatus.ACTIVE.value: "success",
    SubscriptionStatus.PAST_DUE.value: "warning",
    SubscriptionStatus.EXPIRED.value: "danger",
}


def _instances_at(term: str) -> list[Any]:
    return list(Instance.all_objects.filter(subdomain=term.lower()).values_list("id", flat=True))


@admin.register(PaymentOrder)
class PaymentOrderAdmin(RecordAdmin):
    """Payment orders. What is asked for is fixed once the order is open."""

    list_display = (
        "order_id",
        "status_label",
        "amount_text",
        "type",
        "instance",
        "created_at",
        "expires_at",
        "paid_at",
    )
    list_filter = (
        "status",
        "type",
        "tier",
        ("created_at", DayRangeFilter),
        ("paid_at", DayRangeFilter),
    )
    list_select_related = ("instance",)
    ordering = ("-created_at",)
    date_hierarchy = "created_at"
    search_columns: ClassVar = {"order_id": str.upper, "transaction_reference": str}
    search_uuids = ("id", "instance_id", "user_id")
    search_help_text = _("Order code, bank reference, subdomain, e-mail or ID")
    autocomplete_fields = ("instance", "user")
    readonly_fields = (*RecordAdmin.readonly_fields, "amount_text")
    fieldsets = (
        (
            None,
            {"fields": (("order_id", "status"), ("type", "tier"), "amount", "payment_content")},
        ),
        (_("Who pays"), {"fields": ("instance", "user")}),
        (
            _("Payment"),
            {"fields": ("expires_at", "paid_at", "transaction_reference", "qr_image_url")},
        ),
        RECORD_FIELDSET,
    )
    frozen = ("order_id", "type", "tier", "instance", "user", "payment_content", "expires_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Everything that was agreed when the order was opened."""
        own = super().get_readonly_fields(request, obj)
        return own if obj is None else (*own, *self.frozen)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """An open order shows its amount as money rather than as a field to fill in."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        title, options = fieldsets[0]
        fields = ["amount_text" if field == "amount" else field for field in options["fields"]]
        return [(title, {**options, "fields": fields}), *fieldsets[1:]]

    def related_matches(self, term: str) -> Q:
        """Orders of the instance with this subdomain, or of the person with this e-mail address."""
        matches = Q()
        if instances := _instances_at(term):
            matches |= Q(instance_id__in=instances)
        if people := list(User.objects.filter(email=term).values_list("id", flat=True)):
            matches |= Q(user_id__in=people)
        return matches

    @display(description=_("status"), ordering="status", label=ORDER_COLOURS)
    def status_label(self, order: PaymentOrder) -> tuple[str, str]:
        """The status as a coloured label."""
        return order.status, order.get_status_display()

    @display(description=_("amount"), ordering="amount")
    def amount_text(self, order: PaymentOrder) -> str:
        """The amount as money."""
        return money(order.amount)


class HistoryInline(TabularInline):
    """A subscription's changes, newest first."""

    model = SubscriptionHistory
    extra = 0
    can_delete = False
    hide_title = True
    fields = ("changed_at", "status", "tier", "price_text", "changed_by", "change_reason")
    readonly_fields = fields
    ordering = ("-changed_at",)
    per_page = 20

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: the database writes it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: the database writes it."""
        return False

    @display(description=_("price per month"))
    def price_text(self, change: SubscriptionHistory) -> str:
        """The price as money."""
        return money(change.monthly_price)


@admin.register(Subscription)
class SubscriptionAdmin(RecordAdmin):
    """Subscriptions, with everything that ever changed in them."""

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

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """A subscription stays with its instance."""
        own = super().get_readonly_fields(request, obj)
        return own if obj is None else (*own, "instance")

    def related_matches(self, term: str) -> Q:
        """The subscription of the instance with this subdomain."""
        instances = _instances_at(term)
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
class SubscriptionHistoryAdmin(AuditAdmin):
    """Every change of every subscription."""

    list_display = (
        "changed_at",
        "instance_text",
        "status_label",
        "tier",
        "price_text",
        "changed_by",
        "change_reason",
    )
    list_filter = ("status", "tier", ("changed_at", DayRangeFilter))
    list_select_related = ("subscription__instance",)
    ordering = ("-changed_at",)
    date_hierarchy = "changed_at"
    search_uuids = ("id", "subscription_id")
    search_help_text = _("Subdomain or ID")
    fields = (
        "subscription",
        "status",
        "tier",
        "price_text",
        "changed_at",
        "changed_by",
        "change_reason",
    )
    readonly_fields = ("price_text",)

    def related_matches(self, term: str) -> Q:
        """The history of the instance with this subdomain."""
        owned = Subscription.all_objects.filter(instance_id__in=_instances_at(term))
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
