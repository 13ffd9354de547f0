"""Closed schools and when their data goes, and the rows that came or went by archive."""

from typing import ClassVar

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kitehub.backoffice import AuditAdmin, InstanceNames
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.backoffice.labels import Label
from kitehub.models import ArchiveRun, Tombstone

# What became of a closed school, and its label's colour.
STATES = {
    "canceled": (_("opened again"), "default"),
    "dropped": (_("data gone"), "danger"),
    "erasing": (_("data going"), "danger"),
    "due": (_("due"), "warning"),
    "waiting": (_("closed"), "info"),
}


@admin.register(Tombstone)
class TombstoneAdmin(InstanceNames, AuditAdmin):
    """Tombstones, to be read; the pages of schools, and a command, close and open them."""

    nothing_yet = _("A school that is closed leaves its archive here for a time.")
    list_display = (
        "instance_name",
        "state_label",
        "deprovision_at",
        "requested_at",
        "requested_by",
        "dropped_at",
    )
    list_filter = (("deprovision_at", DayRangeFilter),)
    ordering = ("-deprovision_at",)
    search_uuids = ("id", "instance_id")
    search_columns: ClassVar = ("archive_sha256",)
    search_help_text = _("Subdomain, ID, or SHA-256 of an archive")
    fields = (
        "instance_name",
        "state_label",
        "reason",
        ("requested_at", "requested_by"),
        "deprovision_at",
        "archive_path",
        "archive_sha256",
        "earlier_archives",
        ("canceled_at", "canceled_by"),
        "erasing_at",
        "dropped_at",
    )
    readonly_fields = ("instance_name", "state_label")

    @display(description=_("state"), label={state: told[1] for state, told in STATES.items()})
    def state_label(self, tombstone: Tombstone) -> Label:
        """What became of it, as a coloured label."""
        state = _state(tombstone)
        return Label(state, str(STATES[state][0]))


def _state(tombstone: Tombstone) -> str:
    for state in ("canceled", "dropped", "erasing"):
        if getattr(tombstone, f"{state}_at") is not None:
            return state
    return "due" if tombstone.deprovision_at <= timezone.now() else "waiting"


@admin.register(ArchiveRun)
class ArchiveRunAdmin(InstanceNames, AuditAdmin):
    """Imports and erasures in the pool."""

    nothing_yet = _("Runs are listed when an archive is imported, or rows are erased.")
    list_display = ("started_at", "instance_name", "kind", "actor", "archive_sha256", "finished_at")
    list_filter = ("kind", ("started_at", DayRangeFilter))
    ordering = ("-started_at",)
    search_uuids = ("id", "instance_id")
    search_help_text = _("Subdomain or ID")
