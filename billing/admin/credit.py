"""Credit, refunds and receipts in the admin."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.enums import RefundStatus
from billing.models import CreditBalance, CreditEntry, Receipt, ReceiptCounter, Refund
from kitehub.backoffice import AuditAdmin
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.display import money

# Each status is there: of one that is missing, unfold shows the code.
REFUND_COLOURS = {
    RefundStatus.REQUESTED.value: "warning",
    RefundStatus.APPROVED.value: "info",
    RefundStatus.SENT.value: "success",
    RefundStatus.REJECTED.value: "default",
}


@admin.register(CreditBalance)
class CreditBalanceAdmin(AuditAdmin):
    """What instances have."""

    list_display = ("instance", "balance_text")
    list_select_related = ("instance",)
    ordering = ("-balance",)
    search_uuids = ("instance_id",)
    search_help_text = _("ID")
    fields = ("instance", "balance_text")
    readonly_fields = ("balance_text",)

    @display(description=_("credit"), ordering="balance")
    def balance_text(self, row: CreditBalance) -> str:
        """As money."""
        return money(row.balance)


@admin.register(CreditEntry)
class CreditEntryAdmin(AuditAdmin):
    """Every change of credit."""

    list_display = (
        "created_at",
        "instance",
        "kind",
        "amount_text",
        "balance_text",
        "created_by",
        "reason",
    )
    list_filter = ("kind", ("created_at", DayRangeFilter))
    list_select_related = ("instance",)
    ordering = ("-created_at",)
    search_uuids = ("id", "instance_id", "order_id", "transfer_id")
    search_help_text = _("ID")

    @display(description=_("amount"), ordering="amount")
    def amount_text(self, entry: CreditEntry) -> str:
        """As money."""
        return money(entry.amount)

    @display(description=_("credit after"))
    def balance_text(self, entry: CreditEntry) -> str:
        """As money."""
        return money(entry.balance_after)


@admin.register(Refund)
class RefundAdmin(AuditAdmin):
    """Refunds."""

    list_display = (
        "requested_at",
        "status_label",
        "source",
        "amount_text",
        "instance",
        "requested_by",
        "decided_by",
        "sent_at",
    )
    list_filter = ("status", "source", ("requested_at", DayRangeFilter))
    list_select_related = ("instance",)
    ordering = ("-requested_at",)
    search_uuids = ("id", "instance_id", "order_id", "transfer_id")
    search_help_text = _("ID")

    @display(description=_("state"), ordering="status", label=REFUND_COLOURS)
    def status_label(self, refund: Refund) -> tuple[str, str]:
        """The state as a coloured label."""
        return refund.status, refund.get_status_display()

    @display(description=_("amount"), ordering="amount")
    def amount_text(self, refund: Refund) -> str:
        """As money."""
        return money(refund.amount)


@admin.register(Receipt)
class ReceiptAdmin(AuditAdmin):
    """Receipts, by number."""

    list_display = ("__str__", "kind", "instance", "amount_text", "order", "issued_at")
    list_filter = ("kind", ("issued_at", DayRangeFilter))
    list_select_related = ("instance", "order")
    ordering = ("-year", "-number")
    search_uuids = ("id", "instance_id", "order_id")
    search_help_text = _("ID")

    @display(description=_("amount"), ordering="amount")
    def amount_text(self, receipt: Receipt) -> str:
        """As money."""
        return money(receipt.amount)


@admin.register(ReceiptCounter)
class ReceiptCounterAdmin(AuditAdmin):
    """The last number of each year."""

    list_display = ("year", "last")
    ordering = ("-year",)
