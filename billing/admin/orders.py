"""Payment orders in the admin."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, Sum
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.admin.allocations import OrderAllocationInline
from billing.admin.details import OrderDetails
from billing.admin.mark_paid import EntersPayments
from billing.admin.order_actions import ActsOnOrders
from billing.admin.order_opening import OPENING_FIELDSETS, OpensOrders
from billing.admin.paid_late import PaidLateFilter
from billing.admin.refunds import Refundable
from billing.admin.stored_words import reason_words
from billing.admin.taking_off import TakesOff
from billing.enums import PaymentStatus
from billing.models import PaymentOrder
from billing.models.orders import PART_PAID
from billing.services.order_locks import lock_with_lines
from kitehub.backoffice import RecordAdmin
from kitehub.backoffice.audit import REASON_FIELDSET, Refusal
from kitehub.backoffice.base import RECORD_FIELDSET
from kitehub.backoffice.exports import Column, amount
from kitehub.backoffice.filters import AmountRangeFilter, DayRangeFilter
from kitehub.backoffice.names import instances_at
from kitehub.backoffice.search import parse_uuid
from kitehub.backoffice.tabs import Tab, tabs_of
from kitehub.display import money
from kitehub.models import User

# Each status is there: of one that is missing, unfold shows the code.
ORDER_COLOURS = {
    PaymentStatus.PENDING.value: "warning",
    PaymentStatus.PAID.value: "success",
    PaymentStatus.EXPIRED.value: "danger",
    PaymentStatus.CANCELLED.value: "default",
}


@admin.register(PaymentOrder)
class PaymentOrderAdmin(
    OrderDetails, OpensOrders, ActsOnOrders, EntersPayments, TakesOff, Refundable, RecordAdmin
):
    """Payment orders. Only actions and bank lines change one that is open."""

    refund_of = "order"
    actions: ClassVar[Any] = (*RecordAdmin.actions, "cancel_all")
    actions_detail: ClassVar[Any] = (
        *RecordAdmin.actions_detail,
        "mark_paid",
        "cancel",
        "prolong",
        "reopen",
        "send_again",
        "refund",
        "take_off",
    )
    spelling: ClassVar = {"amount": money}
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
    export_columns: ClassVar = (
        "order_id",
        "status",
        "type",
        "tier",
        "months",
        amount("amount"),
        amount("paid_amount"),
        amount("refunded_amount"),
        Column("instance__organization_name", _("instance")),
        "instance__subdomain",
        "user__email",
        "course_id",
        "student_name",
        "created_at",
        "expires_at",
        "paid_at",
        "transaction_reference",
        "cancelled_at",
        Column("cancel_reason", words=reason_words),
        "id",
    )
    list_filter = (
        PaidLateFilter,
        ("created_at", DayRangeFilter),
        ("paid_at", DayRangeFilter),
        ("amount", AmountRangeFilter),
        "type",
        "tier",
    )
    tabs = (
        *tabs_of("status", PaymentStatus),
        Tab("part-paid", _("Paid in part"), PART_PAID),
    )
    more_orders = (("-amount", "-created_at"),)
    range_orders = (("-paid_at",),)
    search_amount = "amount"
    sums: ClassVar[Any] = {_("Asked for"): Sum("amount"), _("Paid"): Sum("paid_amount")}
    nothing_yet = _("Orders are opened by schools in their portal, by their programs, or here.")
    list_select_related = ("instance",)
    ordering = ("-created_at",)
    search_columns: ClassVar = ("order_id", "transaction_reference")
    search_uuids = ("id", "instance_id", "user_id")
    search_help_text = _("Order code, bank reference, subdomain, e-mail, ID or amount")
    autocomplete_fields = ("instance", "user")
    # Only services agree on terms, and only allocations add up.
    readonly_fields = (
        *RecordAdmin.readonly_fields,
        "amount_text",
        "purpose",
        "months",
        "monthly_price_text",
        "course_id",
        "student_name",
        "client_reference",
        "memo",
        "bank_bin",
        "account_number",
        "account_name",
        "paid_text",
        "rest_text",
        "refunded_text",
        "credit_text",
        "superseded_by",
        "cancelled_at",
        "cancel_text",
    )
    inlines = (OrderAllocationInline,)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("order_id", "status"),
                    ("type", "tier"),
                    "amount_text",
                    "payment_content",
                )
            },
        ),
        (_("Who pays"), {"fields": ("instance", "user")}),
        (
            _("Payment"),
            {"fields": ("expires_at", "paid_at", "transaction_reference", "qr_image_url")},
        ),
        (
            _("What was agreed"),
            {
                "fields": (
                    "purpose",
                    ("months", "monthly_price_text"),
                    ("course_id", "student_name"),
                    "client_reference",
                    "memo",
                    ("bank_bin", "account_number"),
                    "account_name",
                )
            },
        ),
        (
            _("What has come of it"),
            {
                "fields": (
                    ("paid_text", "rest_text"),
                    ("refunded_text", "credit_text"),
                    "superseded_by",
                    ("cancelled_at", "cancel_text"),
                )
            },
        ),
        RECORD_FIELDSET,
    )
    frozen = (
        "order_id",
        "type",
        "tier",
        "instance",
        "user",
        "payment_content",
        "expires_at",
        "paid_at",
        "status",
        "transaction_reference",
        "qr_image_url",
    )

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """The order; in a request that writes its bank lines are locked before it, as ever."""
        key = parse_uuid(object_id)
        if key and getattr(request, "is_writing", False):
            lock_with_lines(PaymentOrder.all_objects.filter(pk=key))
        return super().get_object(request, object_id, from_field)

    def check_deletion(self, rows: Sequence[PaymentOrder]) -> None:
        """Money stays in sight: an order that has any on it isn't deleted, nor a paid one."""
        for order in rows:
            if order.paid_amount or order.status == PaymentStatus.PAID:
                raise Refusal(
                    gettext("%(order)s has been paid for, at least in part, so it stays.")
                    % {"order": order.order_id}
                )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Everything that was agreed when the order was opened."""
        if obj is None:
            return RecordAdmin.readonly_fields
        return (*super().get_readonly_fields(request, obj), *self.frozen)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Of an order that is not there yet, what has to be known to open it."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return [*OPENING_FIELDSETS, *(each for each in fieldsets if each is REASON_FIELDSET)]
        return fieldsets

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        """Nothing has paid for an order that is not there yet."""
        return () if obj is None else self.inlines

    def related_matches(self, term: str) -> Q:
        """Orders of the instance with this subdomain, or of the person with this e-mail address."""
        matches = Q()
        if instances := instances_at(term):
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

    @display(description=_("price per month"))
    def monthly_price_text(self, order: PaymentOrder) -> str:
        """As money, where it was agreed."""
        return "" if order.monthly_price is None else money(order.monthly_price)

    @display(description=_("why cancelled"))
    def cancel_text(self, order: PaymentOrder) -> str:
        """Why, in words."""
        return reason_words(order.cancel_reason)

    @display(description=_("paid so far"))
    def paid_text(self, order: PaymentOrder) -> str:
        """As money."""
        return money(order.paid_amount)

    @display(description=_("still to be paid"))
    def rest_text(self, order: PaymentOrder) -> str:
        """As money."""
        return money(order.rest)

    @display(description=_("paid back"))
    def refunded_text(self, order: PaymentOrder) -> str:
        """As money."""
        return money(order.refunded_amount)

    @display(description=_("credit to be used"))
    def credit_text(self, order: PaymentOrder) -> str:
        """As money."""
        return money(order.credit_offered)
