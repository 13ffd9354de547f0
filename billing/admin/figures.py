"""The daily figures in the admin, as they are kept; the dashboard shows what they mean."""

from collections.abc import Sequence

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.models import DailyFigure, FigureEntry
from billing.models.figures import Figure
from kitehub.backoffice import AuditAdmin
from kitehub.display import money


class FigureAdmin(AuditAdmin):
    """What both tables have."""

    small = "A few rows a day; what is yet to be added goes within minutes."

    list_display = ("day", "measure", "tier", "amount_text", "quantity")
    list_filter = ("measure", "tier")
    ordering: Sequence[str] = ("-day", "-id")
    fields = ("day", "measure", "tier", "amount_text", "quantity")
    readonly_fields = ("amount_text",)

    @display(description=_("amount"))
    def amount_text(self, figure: Figure) -> str:
        """As money."""
        return money(figure.amount)


@admin.register(DailyFigure)
class DailyFigureAdmin(FigureAdmin):
    """What is added up already."""

    nothing_yet = _("Figures appear with the first paid order.")


@admin.register(FigureEntry)
class FigureEntryAdmin(FigureAdmin):
    """What is yet to be added to its day."""

    nothing_yet = _("All changes are counted in; there is nothing to do.")
    ordering = ("-id",)
