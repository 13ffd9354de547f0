"""Guest sessions and events in the admin: to read, not to change."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from analytics.enums import EventType
from analytics.models import GuestEvent, GuestSession
from kitehub.backoffice import AuditAdmin, InstanceNames
from kitehub.backoffice.exports import Column, instance_column
from kitehub.backoffice.filters import DayRangeFilter


def event_words(event_type: str) -> str:
    """A type in people's words, or as it was sent."""
    return str(dict(EventType.choices).get(event_type, event_type))


class EventTypeFilter(admin.SimpleListFilter):
    """The known event types. Asking the table for its own would read a third of an index."""

    title = _("event")
    parameter_name = "event_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The types people know by name."""
        return [(value, str(label)) for value, label in EventType.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Events of the chosen type."""
        return queryset.of_type(self.value()) if self.value() else queryset


@admin.register(GuestSession)
class GuestSessionAdmin(InstanceNames, AuditAdmin):
    """Visits."""

    nothing_yet = _("Sessions come from the schools' front ends, by the API.")
    list_display = (
        "session_id",
        "instance_name",
        "source",
        "device_type",
        "ip_address",
        "created_at",
        "expires_at",
    )
    export_columns: ClassVar = (
        "session_id",
        instance_column(),
        "source",
        "device_type",
        "ip_address",
        "created_at",
        "expires_at",
        "id",
    )
    # None of source and device: each index slows down the writing of visits, which is what counts.
    list_filter = (("created_at", DayRangeFilter),)
    ordering = ("-created_at",)
    search_columns: ClassVar = ("session_id",)
    search_uuids = ("id", "instance_id")
    search_help_text = _("Session, subdomain or ID")


@admin.register(GuestEvent)
class GuestEventAdmin(InstanceNames, AuditAdmin):
    """What guests did."""

    nothing_yet = _("Events come from the schools' front ends, by the API.")
    list_display = ("timestamp", "instance_name", "event_label", "course_name", "session_id")
    export_columns: ClassVar = (
        "timestamp",
        instance_column(),
        Column("event_type", words=event_words),
        "course_name",
        "course_id",
        "session_id",
        "id",
    )
    list_filter = (("timestamp", DayRangeFilter), EventTypeFilter)
    ordering = ("-timestamp",)
    search_columns: ClassVar = ("session_id",)
    search_uuids = ("id", "instance_id", "course_id")
    search_help_text = _("Session, subdomain or ID")

    @display(description=_("event"), ordering="event_type")
    def event_label(self, event: GuestEvent) -> str:
        """The type in people's words, or as it was sent."""
        return event_words(event.event_type)
