"""Storage usage, events and reservations in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kitehub.backoffice import AuditAdmin, InstanceNames
from kitehub.backoffice.exports import Column, instance_column
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.display import percent, size
from storage.enums import ReservationStatus, StorageOperation
from storage.models import Reservation, StorageEvent, StorageUsage, TierLimit


class FillFilter(admin.SimpleListFilter):
    """How full the storage is."""

    title = _("use of the limit")
    parameter_name = "fill"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Over 90%, and over the limit."""
        return [("90", _("over 90%")), ("100", _("over the limit"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Usage above the chosen share."""
        if self.value() == "90":
            return queryset.nearly_full()
        return queryset.over_limit() if self.value() == "100" else queryset


class OpenFilter(admin.SimpleListFilter):
    """Room that is still set aside."""

    title = _("status")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Those that are neither used nor given back."""
        return [("yes", ReservationStatus.OPEN.label)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The open ones, on idx_storage_reservations_open."""
        return queryset.open() if self.value() == "yes" else queryset


@admin.register(StorageUsage)
class StorageUsageAdmin(InstanceNames, AuditAdmin):
    """How much each instance stores."""

    nothing_yet = _("A school has its line from its first upload.")
    list_display = (
        "instance_name",
        "used_text",
        "reserved_text",
        "limit_text",
        "share_text",
        "last_updated",
    )
    export_columns: ClassVar = (
        instance_column(),
        Column("used_bytes", unit="byte"),
        Column("reserved_bytes", unit="byte"),
        Column("limit_bytes", unit="byte"),
        "last_updated",
        "instance_id",
    )
    list_filter = (FillFilter,)
    # Each upload changes the bytes: an index of them would slow all uploads down.
    ordering = ("instance_id",)
    search_uuids: ClassVar = ("id", "instance_id")
    search_help_text = _("Subdomain or ID")
    fields = list_display
    readonly_fields = fields

    @display(description=_("used"), ordering="used_bytes")
    def used_text(self, usage: StorageUsage) -> str:
        """The bytes in use."""
        return size(usage.used_bytes)

    @display(description=_("reserved"), ordering="reserved_bytes")
    def reserved_text(self, usage: StorageUsage) -> str:
        """The bytes set aside for uploads that are under way."""
        return size(usage.reserved_bytes)

    @display(description=_("limit"), ordering="limit_bytes")
    def limit_text(self, usage: StorageUsage) -> str:
        """The bytes allowed."""
        return gettext("unlimited") if usage.unlimited else size(usage.limit_bytes)

    @display(description=_("share"))
    def share_text(self, usage: StorageUsage) -> str:
        """The share of the limit; of no limit there is none."""
        return percent(usage.used_bytes, 0 if usage.unlimited else usage.limit_bytes)


@admin.register(StorageEvent)
class StorageEventAdmin(InstanceNames, AuditAdmin):
    """Every upload, deletion and adjustment."""

    nothing_yet = _("Every upload and every deleted file is written here.")
    list_display = (
        "created_at",
        "instance_name",
        "operation_label",
        "file_name",
        "file_type",
        "size_text",
        "created_by",
    )
    export_columns: ClassVar = (
        "created_at",
        instance_column(),
        "operation",
        "file_name",
        "file_type",
        Column("file_size_bytes", unit="byte"),
        Column("correction_bytes", unit="byte"),
        "created_by",
        "reason",
        "id",
    )
    list_filter = (("created_at", DayRangeFilter), "operation")
    ordering = ("-created_at",)
    search_uuids = ("id", "instance_id")
    search_help_text = _("Subdomain or ID")

    @display(
        description=_("operation"),
        ordering="operation",
        label={
            StorageOperation.UPLOAD.value: "success",
            StorageOperation.DELETE.value: "warning",
            StorageOperation.ADJUST.value: "info",
        },
    )
    def operation_label(self, event: StorageEvent) -> tuple[str, str]:
        """The operation as a coloured label."""
        return event.operation, event.get_operation_display()

    @display(description=_("size"), ordering="file_size_bytes")
    def size_text(self, event: StorageEvent) -> str:
        """The file's size."""
        return size(event.file_size_bytes)


@admin.register(Reservation)
class ReservationAdmin(InstanceNames, AuditAdmin):
    """Room set aside for uploads."""

    small = "Rows go a week after they are settled."
    nothing_yet = _("Room is reserved only while a file is on its way.")
    list_display = (
        "created_at",
        "instance_name",
        "status_label",
        "size_text",
        "expires_at",
        "settled_at",
    )
    export_columns: ClassVar = (
        "created_at",
        instance_column(),
        "status",
        Column("size_bytes", unit="byte"),
        "expires_at",
        "settled_at",
        "id",
    )
    # No tabs: an index of the states would slow each upload down.
    list_filter = (("created_at", DayRangeFilter), OpenFilter)
    ordering = ("-created_at",)
    search_uuids = ("id", "instance_id")
    search_help_text = _("Subdomain or ID")

    @display(
        description=_("status"),
        ordering="status",
        label={
            ReservationStatus.OPEN.value: "info",
            ReservationStatus.COMMITTED.value: "success",
            ReservationStatus.RELEASED.value: "default",
            ReservationStatus.EXPIRED.value: "warning",
        },
    )
    def status_label(self, reservation: Reservation) -> tuple[str, str]:
        """The status as a coloured label."""
        return reservation.status, reservation.get_status_display()

    @display(description=_("size"), ordering="size_bytes")
    def size_text(self, reservation: Reservation) -> str:
        """The bytes set aside."""
        return size(reservation.size_bytes)


@admin.register(TierLimit)
class TierLimitAdmin(AuditAdmin):
    """What the settings make of tiers; `manage.py sync_plans` writes it."""

    small = "A row a tier."
    search_uuids: ClassVar[Any] = ()
    search_fields = ()

    nothing_yet = _("“manage.py migrate” writes the tiers' limits.")
    list_display = ("tier", "limit_text")
    fields = ("tier", "limit_text")
    readonly_fields = fields
    ordering = ("tier",)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> TierLimit | None:
        """Django's; no tier has a NUL in its name, which PostgreSQL would not even look up."""
        found: TierLimit | None = (
            None if "\x00" in object_id else super().get_object(request, object_id, from_field)
        )
        return found

    @display(description=_("limit"))
    def limit_text(self, limit: TierLimit) -> str:
        """The limit as people read it."""
        return gettext("unlimited") if limit.limit_bytes is None else size(limit.limit_bytes)
