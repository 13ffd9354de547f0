"""Orders whose money came late or in part: a filter of the list, and a queue of the dashboard."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LATE, PARTLY = "late", "partly"
# Whoever paid late may have paid twice, or for an offer that is over; later nobody asks any more.
LOOKED_AT_FOR = timedelta(days=7)


class OddlyPaidFilter(admin.SimpleListFilter):
    """Orders that were paid after their expiry in the last week, or that lack some of the money."""

    title = _("how it was paid")
    parameter_name = "paid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Late, and in part."""
        return [(LATE, _("late, in the last 7 days")), (PARTLY, _("in part"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The orders that were so paid."""
        orders: QuerySet[Any] = oddly_paid(queryset, str(self.value()))
        return orders


def oddly_paid(orders: Any, how: str) -> Any:
    """The orders among these that were paid late, or in part; all of them for another word."""
    if how == LATE:
        return orders.paid_late(since=timezone.now() - LOOKED_AT_FOR)
    return orders.part_paid() if how == PARTLY else orders
