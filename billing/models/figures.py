"""The figures of the business, by day: sums that triggers write while money and time are booked."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.enums import Measure
from kitehub.db.indexes import Index
from kitehub.enums import Tier


class Figure(models.Model):
    """How much a measure changed on a day in Vietnam, of a tier where it has one; in đồng."""

    id = models.BigAutoField(_("ID"), primary_key=True)
    day = models.DateField(_("day"))
    measure = models.CharField(_("measure"), max_length=20, choices=Measure.choices)
    tier = models.CharField(_("tier"), max_length=20, choices=Tier.choices, blank=True)
    amount = models.BigIntegerField(_("amount"))
    quantity = models.BigIntegerField(_("quantity"))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.day} · {self.get_measure_display()}"


class FigureEntry(Figure):
    """One change that is in no day's row yet, written in the transaction that made it (V18).

    A row per change and no shared row, so that nobody who books waits for another. The figures are
    these and the days' rows together, at any moment.
    """

    class Meta:
        db_table = "figure_entries"
        db_table_comment = "Changes of the figures that fold_figures has yet to add to their days"
        verbose_name = _("change of a figure")
        verbose_name_plural = _("changes of figures")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(measure__in=Measure.values), name="figure_entries_measure_check"
            ),
        ]


class DailyFigure(Figure):
    """All changes of a measure on a day that are added up already (V18)."""

    class Meta:
        db_table = "daily_figures"
        db_table_comment = "Figures by day in Vietnam; with figure_entries they are exact"
        verbose_name = _("figure")
        verbose_name_plural = _("figures")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(measure__in=Measure.values), name="daily_figures_measure_check"
            ),
            models.UniqueConstraint(
                fields=["measure", "day", "tier"], name="daily_figures_measure_day_tier_key"
            ),
        ]
        # The list's order.
        indexes: ClassVar = [Index(fields=["-day", "-id"], name="idx_daily_figures_day")]
