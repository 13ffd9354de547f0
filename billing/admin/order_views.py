"""When the QR codes of orders were shown, as it is."""

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from billing.models import OrderView
from kitehub.backoffice import AuditAdmin


@admin.register(OrderView)
class OrderViewAdmin(AuditAdmin):
    """By order and place. Nobody writes them here."""

    nothing_yet = _("Written when somebody is shown the QR code of an order.")
    list_display = ("order", "channel", "times", "first_at", "last_at")
    list_select_related = ("order",)
    # The table has no other index, and nobody reads it but by an order.
    ordering = ("-id",)
    search_uuids: ClassVar[Any] = ("id", "order_id")
    search_help_text = _("ID")
