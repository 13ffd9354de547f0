"""Credit in the admin."""

import re
from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.db.models import Q, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.admin.stored_words import Booked, actor_words, reason_words
from billing.models import CreditBalance, CreditEntry
from billing.models.transfers import MOST_DONG
from billing.services import credit
from kitehub.backoffice import AuditAdmin, Audited
from kitehub.backoffice.audit import actor_of
from kitehub.backoffice.exports import Column, amount
from kitehub.backoffice.filters import AmountRangeFilter, DayRangeFilter
from kitehub.backoffice.forms import Aside, ReasonedModelForm
from kitehub.backoffice.names import instances_at
from kitehub.display import money


class GrantForm(ReasonedModelForm):
    """To whom staff give how much goodwill, and why; the amount is typed twice.

    The page carries the key of the entry, so that what is sent twice is given once.
    """

    once = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)
    retyped = Aside(
        label=_("amount, once more"),
        max_length=30,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    class Meta:
        model = CreditEntry
        fields = ("instance", "amount")
        help_texts: ClassVar = {
            "amount": _("It pays for orders of this school and is never paid out.")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True

    def clean_amount(self) -> int:
        """Some đồng, and no more than a bank could move."""
        amount: int = self.cleaned_data["amount"]
        if not 0 < amount <= MOST_DONG:
            raise forms.ValidationError(gettext("Enter an amount above 0, of at most 13 digits."))
        return amount

    def clean_retyped(self) -> str:
        """What was typed, where it is the amount, however its thousands are grouped."""
        typed: str = self.cleaned_data["retyped"]
        if re.sub(r"[\s.,₫đ]", "", typed) != str(self.cleaned_data.get("amount", "")):
            raise forms.ValidationError(gettext("That is not what is to be typed here."))
        return typed

    def grant(self, actor: str) -> CreditEntry:
        """Gives it."""
        return credit.grant(
            instance_id=self.cleaned_data["instance"].pk,
            amount=self.cleaned_data["amount"],
            reason=self.cleaned_data["reason"],
            actor=actor,
            at=timezone.now(),
            key=self.cleaned_data["once"],
        )


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
    """Every change of credit. To add one is to give goodwill; all else is settlement's."""

    form = GrantForm
    refusals: ClassVar = {"credit_entries_pkey": _("This goodwill is given already.")}

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
    autocomplete_fields = ("instance",)
    readonly_fields = ("amount_text", "balance_text", "booked_by")
    fieldsets = (
        (None, {"fields": ("instance", ("kind", "amount_text", "balance_text"))}),
        (_("Because of"), {"fields": ("transfer", "order", "refund")}),
        (_("Booked"), {"fields": (("created_at", "booked_by"), "why_text")}),
    )
    add_fieldsets = ((None, {"fields": ("instance", "amount", "retyped")}),)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may give goodwill."""
        return bool(request.user.has_perm("billing.grant_credit"))

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> CreditEntry:
        """Gives the goodwill. What was entered is only read."""
        return form.grant(actor_of(request))  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing: granting wrote it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: an entry has no other rows."""

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
