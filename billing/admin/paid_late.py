"""Orders whose money came late: a filter of the list, and a queue of the dashboard."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# Whoever paid late may have paid twice, or for an offer that is over; later nobody asks any more.
LOOKED_AT_FOR = timedelta(days=7)


class PaidLateFilter(admin.SimpleListFilter):
    """Orders that were paid after their expiry, in the last week."""

    title = _("how it was paid")
    parameter_name = "paid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Late."""
        return [("late", _("late, in the last 7 days"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any]:
        """The orders that were so paid."""
        orders: QuerySet[Any] = queryset
        return paid_late(queryset) if self.value() == "late" else orders

    def ordered_by(self) -> str:
        """The column whose index has them."""
        return "paid_at" if self.value() == "late" else ""


def paid_late(orders: Any) -> Any:
    """The orders among these that were paid late, and not too long ago to ask."""
    return orders.paid_late(since=timezone.now() - LOOKED_AT_FOR)
