"""Credit in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from billing.admin.stored_words import Booked, actor_words, reason_words
from billing.models import CreditBalance, CreditEntry
from kitehub.backoffice import AuditAdmin, Audited
from kitehub.backoffice.exports import Column, amount
from kitehub.backoffice.filters import AmountRangeFilter, DayRangeFilter
from kitehub.backoffice.names import instances_at
from kitehub.display import money


@admin.register(CreditBalance)
class CreditBalanceAdmin(AuditAdmin):
    """What instances have."""

    nothing_yet = _("A school has credit once it pays more than an order, or is given some.")
    list_display = ("instance", "balance_text")
    export_columns: ClassVar = (
        Column("instance__organization_name", _("instance")),
        "instance__subdomain",
        amount("balance"),
    )
    list_select_related = ("instance",)
    ordering = ("-balance",)
    sums: ClassVar[Any] = {_("Credit"): Sum("balance")}
    search_uuids = ("instance_id",)
    search_help_text = _("ID")
    fields = ("instance", "balance_text")
    readonly_fields = ("balance_text",)

    @display(description=_("credit"), ordering="balance")
    def balance_text(self, row: CreditBalance) -> str:
        """As money."""
        return money(row.balance)


@admin.register(CreditEntry)
class CreditEntryAdmin(Booked, Audited, AuditAdmin):
    """Every change of credit. What staff give is proposed elsewhere; all else is settlement's."""

    nothing_yet = _(
        "Entries are written when a school pays too much, uses its credit, or is given some."
    )
    list_display = (
        "created_at",
        "instance",
        "kind",
        "amount_text",
        "balance_text",
        "booked_by",
        "booked_for",
    )
    export_columns: ClassVar = (
        "created_at",
        Column("instance__organization_name", _("instance")),
        "kind",
        amount("amount"),
        amount("balance_after"),
        "order__order_id",
        Column("transfer__reference", _("bank reference")),
        Column("created_by", words=actor_words),
        Column("reason", words=reason_words),
        "id",
    )
    list_filter = (("created_at", DayRangeFilter), ("amount", AmountRangeFilter), "kind")
    more_orders = (("-amount", "-created_at"),)
    search_amount = "amount"
    sums: ClassVar[Any] = {_("Total"): Sum("amount")}
    list_select_related = ("instance",)
    ordering = ("-created_at",)
    search_uuids = ("id", "instance_id", "order_id", "transfer_id")
    search_help_text = _("Subdomain, ID or amount")
    actions_list: ClassVar[Any] = ("give",)
    readonly_fields = ("amount_text", "balance_text", "booked_by")
    fieldsets = (
        (None, {"fields": ("instance", ("kind", "amount_text", "balance_text"))}),
        (_("Because of"), {"fields": ("transfer", "order", "refund")}),
        (_("Booked"), {"fields": (("created_at", "booked_by"), "why_text")}),
    )

    @action(description=_("Give credit…"), icon="redeem", permissions=["give"], url_path="give")
    def give(self, request: HttpRequest) -> HttpResponse:
        """Leads to the form that proposes it."""
        return HttpResponseRedirect(reverse("admin:billing_goodwill_add"))

    def has_give_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may propose credit."""
        return bool(request.user.has_perm("billing.grant_credit"))

    def related_matches(self, term: str) -> Q:
        """Entries of the instance with this subdomain."""
        found = instances_at(term)
        return Q(instance_id__in=found) if found else Q()

    @display(description=_("reason"))
    def why_text(self, entry: CreditEntry) -> str:
        """Why it was booked."""
        return reason_words(entry.reason) or "–"

    @display(description=_("amount"), ordering="amount")
    def amount_text(self, entry: CreditEntry) -> str:
        """As money."""
        return money(entry.amount)

    @display(description=_("credit after"))
    def balance_text(self, entry: CreditEntry) -> str:
        """As money."""
        return money(entry.balance_after)
