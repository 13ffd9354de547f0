"""Moves, suspensions and gates of instances, as they are. Nobody writes them here."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kitehub.backoffice import AuditAdmin, InstanceNames
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.backoffice.names import instances_at
from kitehub.backoffice.tabs import tabs_of
from kitehub.enums import MoveStep
from kitehub.models import InstanceChange, InstanceGate, InstanceMove, InstanceSuspension
from kitehub.models.moves import ENDED


class _OfInstance(AuditAdmin):
    list_select_related = ("instance",)
    ordering = ("-created_at",)
    search_uuids: ClassVar[Any] = ("id", "instance_id")
    search_help_text = _("Subdomain or ID")

    def related_matches(self, term: str) -> Q:
        """Rows of the instance with this subdomain."""
        found = instances_at(term)
        return Q(instance_id__in=found) if found else Q()


class UnfinishedFilter(admin.SimpleListFilter):
    """Moves that aren't over."""

    title = _("state")
    parameter_name = "unfinished"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Those that go on, or were cut short."""
        return [("yes", _("not finished"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The moves in a step before the last."""
        return unfinished(queryset) if self.value() == "yes" else queryset


def unfinished(moves: QuerySet[Any]) -> QuerySet[Any]:
    """The moves among these that aren't over, on instance_moves_one_open."""
    return moves.exclude(step__in=ENDED)


@admin.register(InstanceMove)
class InstanceMoveAdmin(_OfInstance):
    """Where instances moved. Their pages, and `manage.py move_instance`, move them."""

    nothing_yet = _("Start a move on the page of a school.")
    list_display = ("created_at", "instance", "step_label", "target_url", "refused_ms", "ended_at")
    list_filter = (("created_at", DayRangeFilter), UnfinishedFilter)
    tabs = tabs_of("step", MoveStep)
    fields = (
        "instance",
        "step",
        "source_url",
        "target_url",
        "row_counts",
        "refused_ms",
        "created_at",
        "created_by",
        "ended_at",
    )
    readonly_fields = fields

    @display(
        description=_("step"),
        ordering="step",
        label={
            MoveStep.DONE.value: "success",
            MoveStep.PURGED.value: "success",
            MoveStep.ABORTED.value: "default",
        },
    )
    def step_label(self, move: InstanceMove) -> tuple[str, str]:
        """The step as a coloured label."""
        return move.step, move.get_step_display()


@admin.register(InstanceSuspension)
class InstanceSuspensionAdmin(_OfInstance):
    """When instances were suspended. The pages of instances suspend and resume."""

    nothing_yet = _("Suspend a school on its page.")
    list_display = ("created_at", "instance", "reason", "created_by", "resumed_at", "resumed_by")
    list_filter = (("created_at", DayRangeFilter),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All."""
        return [field.name for field in self.model._meta.local_fields]


@admin.register(InstanceGate)
class InstanceGateAdmin(InstanceNames, AuditAdmin):
    """Whose rows in the pool may not be written, and why."""

    small = "A row for each school that is suspended, closed or on the move."
    nothing_yet = _("A gate is closed only while a school is suspended or moved.")
    list_display = ("instance_name", "reason", "created_at", "expires_at")
    list_filter = ("reason",)
    ordering = ("-created_at",)
    search_uuids: ClassVar[Any] = ("id", "instance_id")
    search_help_text = _("Subdomain or ID")


@admin.register(InstanceChange)
class InstanceChangeAdmin(InstanceNames, AuditAdmin):
    """Rows of the pool that were written while their instance is being moved."""

    small = "Rows go when the move has ended."
    nothing_yet = _("Changes are listed only while a school is moved.")
    list_display = ("id", "instance_name", "table_name", "row_id")
    ordering = ("-id",)
    search_uuids: ClassVar[Any] = ("instance_id", "row_id")
    search_help_text = _("Subdomain or ID")
