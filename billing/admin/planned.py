"""What was assigned with one click: the list, and what of it should have been booked long ago."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.models import PlannedMatch
from billing.services import planned
from kitehub.backoffice import AuditAdmin
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.display import money


class OverdueFilter(admin.SimpleListFilter):
    """Assignments that no job can book."""

    title = _("booking")
    parameter_name = "booking"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Overdue."""
        return [("overdue", _("overdue"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any]:
        """The overdue ones."""
        plans: QuerySet[Any] = queryset
        return overdue(plans) if self.value() == "overdue" else plans


def overdue(plans: QuerySet[Any]) -> QuerySet[Any]:
    """Those that should have been booked long ago; their lines are in the inbox again."""
    return plans.filter(planned.overdue(timezone.now()))


@admin.register(PlannedMatch)
class PlannedMatchAdmin(AuditAdmin):
    """What was assigned with one click in the inbox, and what has become of it."""

    small = "Staff assign each by hand."
    nothing_yet = _("What is assigned in the inbox waits here until it is booked.")
    list_display = (
        "created_at",
        "transfer",
        "order",
        "amount_text",
        "state",
        "created_by",
        "reason",
    )
    list_filter = ("state", OverdueFilter, ("created_at", DayRangeFilter))
    list_select_related = ("transfer", "order")
    ordering = ("-created_at",)
    search_uuids = ("id", "order_id", "transfer_id")
    search_help_text = _("ID")
    fields = (
        ("transfer", "order"),
        ("amount_text", "state"),
        "reason",
        "failure",
        ("created_at", "created_by"),
        ("due_at", "concluded_at"),
    )
    readonly_fields = ("amount_text",)

    @display(description=_("amount"), ordering="amount")
    def amount_text(self, plan: PlannedMatch) -> str:
        """The amount as money."""
        return money(plan.amount)
