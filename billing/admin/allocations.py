"""Allocations beside what they are of: an order, or a bank line."""

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from billing.admin.stored_words import Booked
from billing.models import PaymentAllocation
from kitehub.display import money


class AllocationInline(Booked, TabularInline):
    """Allocations, which settlement writes and nobody changes."""

    model = PaymentAllocation
    extra = 0
    can_delete = False
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentAllocation]:
        """With both ends, which each row names."""
        rows: QuerySet[PaymentAllocation] = super().get_queryset(request)
        return rows.select_related("order", "transfer", "credit_entry")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: settlement writes it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: it is append-only."""
        return False

    @display(description=_("amount"))
    def amount_text(self, allocation: PaymentAllocation) -> str:
        """The amount as money; negative takes back."""
        return money(allocation.amount)


class TransferAllocationInline(AllocationInline):
    """What of a bank line pays which order."""

    fk_name = "transfer"
    verbose_name_plural = _("what it pays")
    fields = ("created_at", "order", "amount_text", "booked_by", "booked_for")
    readonly_fields = fields


class OrderAllocationInline(AllocationInline):
    """Which bank line or credit pays how much of an order."""

    fk_name = "order"
    verbose_name_plural = _("what has paid for it")
    fields = ("created_at", "transfer", "credit_entry", "amount_text", "booked_by", "booked_for")
    readonly_fields = fields
