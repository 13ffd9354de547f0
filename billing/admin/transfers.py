"""Bank transfers and what was made of them, in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import BigIntegerField, Case, F, Q, Sum, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.admin.allocations import TransferAllocationInline
from billing.admin.details import TransferDetails
from billing.admin.duplicates import TellsDuplicates
from billing.admin.inbox import SortsOut
from billing.admin.inbox_page import InboxPage
from billing.admin.refunds import Refundable
from billing.admin.statement_import import ImportsStatements
from billing.admin.stored_words import Booked, actor_words, reason_words, refusal_words
from billing.enums import TransferDirection, TransferState
from billing.matching import order_codes
from billing.models import (
    BankFeed,
    BankTransfer,
    FeedSilence,
    PaymentAllocation,
    PaymentOrder,
    StatementMapping,
)
from billing.services.candidates import candidates, paid_elsewhere
from kitehub.backoffice import AuditAdmin, Audited
from kitehub.backoffice.exports import Column, amount
from kitehub.backoffice.filters import AmountRangeFilter, DayRangeFilter
from kitehub.backoffice.labels import Label
from kitehub.backoffice.names import instances_at
from kitehub.backoffice.tabs import tabs_of
from kitehub.display import money

# What one search looks for, and finds, among the lines that wait.
_MOST_CODES = 4
_MOST_FOUND = 200

# Outgoing with a minus.
_SIGNED = Case(
    When(direction="OUT", then=-F("amount")),
    default=F("amount"),
    output_field=BigIntegerField(),
)

# Each state is there: of one that is missing, unfold shows the code.
TRANSFER_COLOURS = {
    TransferState.RECEIVED.value: "info",
    TransferState.MATCHED.value: "success",
    TransferState.UNMATCHED.value: "warning",
    TransferState.IGNORED.value: "default",
    TransferState.DUPLICATE.value: "default",
    TransferState.DISCARDED.value: "danger",
}


@admin.register(BankTransfer)
class BankTransferAdmin(
    TransferDetails,
    InboxPage,
    ImportsStatements,
    TellsDuplicates,
    SortsOut,
    Refundable,
    Audited,
    AuditAdmin,
):
    """Bank lines, the newest first."""

    list_display = (
        "transferred_at",
        "state_label",
        "amount_text",
        "memo",
        "counterparty_name",
        "instance",
        "reason",
    )
    export_columns: ClassVar = (
        "transferred_at",
        "received_at",
        "state",
        amount(_SIGNED, _("amount")),
        "memo",
        "counterparty_name",
        "counterparty_account",
        "counterparty_bank",
        "account_number",
        "reference",
        Column("instance__organization_name", _("instance")),
        amount("allocated_amount"),
        amount("credited_amount"),
        amount("refunded_amount"),
        "reason",
        "note",
        "provider",
        "provider_id",
        "id",
    )
    list_filter = (
        ("received_at", DayRangeFilter),
        ("amount", AmountRangeFilter),
        "direction",
        "provider",
    )
    # What waits for a person comes first.
    tabs = tabs_of("state", sorted(TransferState, key=lambda state: state != "UNMATCHED"))
    more_orders = (("-amount", "-received_at"),)
    search_amount = "amount"
    sums: ClassVar[Any] = {
        _("Came in"): Sum("amount", filter=Q(direction=TransferDirection.IN.value)),
        _("Went out"): Sum("amount", filter=Q(direction=TransferDirection.OUT.value)),
    }
    nothing_yet = _("Lines come from bank feeds, or from a statement that you import.")
    list_select_related = ("instance",)
    ordering = ("-received_at",)
    search_columns: ClassVar = ("reference", "provider_id", "account_number")
    search_uuids = ("id", "instance_id")
    search_help_text = _(
        "Bank reference, provider's id, account number, order code, subdomain, ID or amount"
    )
    inlines = (TransferAllocationInline,)
    refund_of = "transfer"
    actions_detail: ClassVar[Any] = (
        "assign",
        "keep",
        "same_money",
        "discard",
        "bring_back",
        "other_money",
        "take_back",
        "take_credit_back",
        "unmatch",
        "refund",
    )
    fieldsets = (
        (None, {"fields": (("state_label", "reason"), "note", "duplicate_of", "settled_at")}),
        (_("What it may be for"), {"fields": ("candidates_text",)}),
        (
            _("What the bank said"),
            {
                "fields": (
                    ("amount_text", "direction"),
                    "memo",
                    "details",
                    "counterparty_name",
                    ("counterparty_account", "counterparty_bank"),
                    ("account_number", "bank"),
                    "virtual_account",
                    ("reference", "balance_text"),
                    ("transferred_at", "received_at"),
                    ("provider", "provider_id"),
                )
            },
        ),
        (
            _("What it is for"),
            {"fields": ("instance", ("allocated_text", "credited_text"), "refunded_text")},
        ),
    )
    readonly_fields = (
        "state_label",
        "candidates_text",
        "amount_text",
        "balance_text",
        "allocated_text",
        "credited_text",
        "refunded_text",
    )

    def related_matches(self, term: str) -> Q:
        """Lines of the instance with this subdomain, or that pay the order with this code.

        Those too that wait and only name the order: it is them that somebody looks for.
        """
        matches = Q()
        if instances := instances_at(term):
            matches |= Q(instance_id__in=instances)
        orders = PaymentOrder.all_objects.filter(order_id=term.upper())
        paying = PaymentAllocation.objects.filter(
            order__in=orders.values("id"), transfer__isnull=False
        )
        naming = BankTransfer.objects.waiting_with(order_codes(term)[:_MOST_CODES])
        found = {
            *paying.values_list("transfer_id", flat=True),
            *naming.values_list("id", flat=True)[:_MOST_FOUND],
        }
        if found:
            matches |= Q(id__in=found)
        return matches

    @display(description=_("state"), ordering="state", label=TRANSFER_COLOURS)
    def state_label(self, transfer: BankTransfer) -> Label:
        """The state as a coloured label."""
        return Label(transfer.state, transfer.get_state_display())

    @display(description=_("amount"), ordering="amount")
    def amount_text(self, transfer: BankTransfer) -> str:
        """The amount as money, outgoing with a minus."""
        return money(transfer.amount if transfer.direction == "IN" else -transfer.amount)

    @display(description=_("orders that come into question"))
    def candidates_text(self, transfer: BankTransfer) -> str:
        """The likeliest orders of a line that waits, each with what speaks for it."""
        if transfer.state != TransferState.UNMATCHED:
            return ""
        found = candidates(transfer)
        lines = (
            (
                reverse("admin:billing_paymentorder_change", args=[each.order.pk]),
                each.order.order_id,
                money(each.order.rest),
                each.order.instance or "",
                "; ".join(str(why.label) for why in each.why),
            )
            for each in found
        )
        html = format_html_join("", '<div><a href="{}">{}</a> · {} · {} · {}</div>', lines)
        elsewhere = format_html_join(
            "",
            '<div><a href="{}">{}</a> · {}</div>',
            (
                (
                    reverse("admin:billing_paymentorder_change", args=[order.pk]),
                    order.order_id,
                    gettext("its code is in the memo, but it is paid on another account"),
                )
                for order in paid_elsewhere(transfer)
            ),
        )
        return elsewhere + html or gettext("None is like it.")

    @display(description=_("balance after"))
    def balance_text(self, transfer: BankTransfer) -> str:
        """The account's balance as money, where the bank said it."""
        return "" if transfer.balance_after is None else money(transfer.balance_after)

    @display(description=_("for orders"))
    def allocated_text(self, transfer: BankTransfer) -> str:
        """As money."""
        return money(transfer.allocated_amount)

    @display(description=_("kept as credit"))
    def credited_text(self, transfer: BankTransfer) -> str:
        """As money."""
        return money(transfer.credited_amount)

    @display(description=_("paid back"))
    def refunded_text(self, transfer: BankTransfer) -> str:
        """As money."""
        return money(transfer.refunded_amount)


@admin.register(PaymentAllocation)
class PaymentAllocationAdmin(Booked, AuditAdmin):
    """What of which bank line or credit pays which order."""

    nothing_yet = _("Written when a bank transfer pays an order.")
    list_display = ("created_at", "order", "amount_text", "transfer", "booked_by", "booked_for")
    export_columns: ClassVar = (
        "created_at",
        "order__order_id",
        amount("amount"),
        Column("transfer__reference", _("bank reference")),
        "transfer__transferred_at",
        "transfer__counterparty_name",
        Column("created_by", words=actor_words),
        Column("reason", words=reason_words),
        "id",
    )
    list_filter = (("created_at", DayRangeFilter),)
    sums: ClassVar[Any] = {_("Allocated"): Sum("amount")}
    list_select_related = ("order", "transfer")
    ordering = ("-created_at",)
    search_uuids = ("id", "order_id", "transfer_id")
    search_help_text = _("ID")
    fields = (
        "order",
        "amount_text",
        ("transfer", "credit_entry"),
        ("reverses", "refund"),
        ("created_at", "booked_by"),
        "booked_for",
    )
    readonly_fields = ("amount_text", "booked_by", "booked_for")

    @display(description=_("amount"), ordering="amount")
    def amount_text(self, allocation: PaymentAllocation) -> str:
        """The amount as money; negative takes back."""
        return money(allocation.amount)


@admin.register(BankFeed)
class BankFeedAdmin(AuditAdmin):
    """When each account was last heard of."""

    small = "A row for each account that money is paid to."
    nothing_yet = _(
        "A feed is listed from its first message; docs/bank-feeds.md says how to set one up."
    )
    list_display = (
        "provider",
        "account_number",
        "last_seen_at",
        "received",
        "refused",
        "refused_at",
        "refused_text",
    )
    fields = (
        "provider",
        "account_number",
        ("first_seen_at", "last_seen_at"),
        "received",
        ("refused", "refused_at"),
        "refused_text",
    )
    readonly_fields = ("refused_text",)
    list_filter = ("provider",)
    ordering = ("provider", "account_number")
    search_columns: ClassVar = ("account_number",)
    search_help_text = _("Account number")

    @display(description=_("last refused because"))
    def refused_text(self, feed: BankFeed) -> str:
        """In words."""
        return refusal_words(feed.refused_reason)


class SilentFilter(admin.SimpleListFilter):
    """Whether a silence goes on."""

    title = _("state")
    parameter_name = "silent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Those that go on."""
        return [("now", _("silent now"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The silences without an end."""
        return queryset.filter(ends_at=None) if self.value() == "now" else queryset


@admin.register(FeedSilence)
class FeedSilenceAdmin(AuditAdmin):
    """Times in which a bank feed said nothing."""

    small = "A row for each outage of a bank or its provider."
    nothing_yet = _("No feed has been silent for longer than usual.")
    list_display = ("feed", "starts_at", "ends_at")
    list_filter = (SilentFilter,)
    list_select_related = ("feed",)
    ordering = ("-starts_at",)


@admin.register(StatementMapping)
class StatementMappingAdmin(AuditAdmin):
    """Columns of banks' statements, by name."""

    small = "A row for each bank's way to write statements."
    nothing_yet = _("A format is kept when you import a statement and save how it was read.")
    list_display: Any = ("name", "created_at", "created_by")
    ordering = ("name",)
