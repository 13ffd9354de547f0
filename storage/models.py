"""Storage usage, the events behind it, and room set aside. Tenant tables; sizes are bytes."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kitehub.db.base import Identified
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.enums import Tier
from kitehub.tenancy.base import PerDatabase, Tenant, TenantManager
from storage.enums import FileType, ReservationStatus, StorageOperation
from storage.functions import Actor, Reason
from storage.querysets import (
    FILL_MARK,
    NEARLY_FULL,
    OVER_LIMIT,
    ReservationQuerySet,
    StorageEventQuerySet,
    StorageUsageQuerySet,
)

# As much as limit_bytes can say; what `"maxStorageBytes": null` in an instance's limitations means.
UNLIMITED = 2**63 - 1
RARE_OPERATIONS = (StorageOperation.DELETE, StorageOperation.ADJUST)


class StorageUsage(Tenant, Identified):
    """How much an instance stores and may store (plan, V7).

    Triggers keep it: events move `used_bytes`, reservations `reserved_bytes`, and the instance's
    config `limit_bytes`. `fill_mark` follows from them: an upload writes to its indexes only where
    it passes a mark, while an index of the bytes would be written to by each.
    """

    instance_id = models.UUIDField(_("instance"))
    used_bytes = models.BigIntegerField(_("used"), db_default=0)
    limit_bytes = models.BigIntegerField(
        _("limit"), db_comment="Storage limit based on tier: BASIC=0, STANDARD=5GB, PREMIUM=20GB"
    )
    last_updated = models.DateTimeField(_("last change"), db_default=Now())
    reserved_bytes = models.BigIntegerField(_("reserved"), db_default=0)
    fill_mark = models.GeneratedField(
        verbose_name=_("mark"),
        expression=FILL_MARK,
        output_field=models.SmallIntegerField(),
        db_persist=True,
        db_comment="Percent of the limit that are passed: 0, 90 or 100",
    )

    objects = TenantManager.from_queryset(StorageUsageQuerySet)()

    class Meta:
        db_table = "storage_usage"
        db_table_comment = "Current storage usage per instance"
        verbose_name = _("storage usage")
        verbose_name_plural = _("storage usage")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instance_id"], name="storage_usage_instance_id_key"),
            models.CheckConstraint(
                condition=Q(used_bytes__gte=0), name="storage_usage_used_bytes_check"
            ),
            models.CheckConstraint(
                condition=Q(reserved_bytes__gte=0), name="storage_usage_reserved_bytes_check"
            ),
        ]
        indexes: ClassVar = [
            Index(fields=["instance_id"], name="idx_storage_usage_instance"),
            Index(
                fields=["instance_id"],
                condition=Q(fill_mark__gte=NEARLY_FULL),
                name="idx_storage_usage_nearly_full",
            ),
            Index(
                fields=["instance_id"],
                condition=Q(fill_mark=OVER_LIMIT),
                name="idx_storage_usage_over_limit",
            ),
        ]

    def __str__(self) -> str:
        return str(self.instance_id)

    @property
    def unlimited(self) -> bool:
        """Whether the instance may store whatever it likes."""
        return self.limit_bytes == UNLIMITED


class StorageEvent(Tenant, Identified):
    """One upload or deletion of a file (plan, V7), or an adjustment; never changed afterwards.

    The events of an instance, deletions taken off, add up to its `used_bytes`. An adjustment's
    size has a sign and counts as the others do; its `correction_bytes` don't count, they say by how
    much `used_bytes` had been off and was put right.
    """

    instance_id = models.UUIDField(_("instance"))
    file_type = models.CharField(_("file type"), max_length=20, choices=FileType.choices)
    file_name = models.CharField(_("file"), max_length=255)
    file_url = models.CharField(_("address"), max_length=500)
    file_size_bytes = models.BigIntegerField(_("size"))
    operation = models.CharField(_("operation"), max_length=10, choices=StorageOperation.choices)
    created_at = models.DateTimeField(_("time"), db_default=Now())
    created_by = models.CharField(
        _("by"), max_length=100, null=True, blank=True, db_default=Actor()
    )
    reason = models.CharField(
        _("reason"), max_length=500, null=True, blank=True, db_default=Reason()
    )
    correction_bytes = models.BigIntegerField(_("correction"), null=True, blank=True)

    objects = TenantManager.from_queryset(StorageEventQuerySet)()

    class Meta:
        db_table = "storage_events"
        db_table_comment = "Audit trail for all file uploads/deletes"
        verbose_name = _("storage event")
        verbose_name_plural = _("storage events")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(operation__in=StorageOperation.values),
                name="storage_events_operation_check",
            ),
            models.CheckConstraint(
                condition=Q(operation=StorageOperation.ADJUST) | Q(file_size_bytes__gte=0),
                name="storage_events_size_check",
            ),
            models.CheckConstraint(
                condition=Q(operation=StorageOperation.ADJUST) | Q(correction_bytes__isnull=True),
                name="storage_events_correction_check",
            ),
        ]
        indexes: ClassVar = [
            Index(fields=["instance_id"], name="idx_storage_events_instance"),
            Index(fields=["-created_at"], name="idx_storage_events_created"),
            Index(fields=["operation"], name="idx_storage_events_operation"),
            # Uploads, which are nearly all and in any case soon found, aren't in it.
            Index(
                fields=["operation", "-created_at", "-id"],
                condition=Q(operation__in=RARE_OPERATIONS),
                name="idx_storage_events_list_rare",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_operation_display()} · {self.file_name}"


class Reservation(Tenant, Identified):
    """Room set aside for one upload, within the limit, until it is used, given back or expired.

    The upload's event gets the reservation's id.
    """

    instance_id = models.UUIDField(_("instance"))
    size_bytes = models.BigIntegerField(_("size"))
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=ReservationStatus.choices,
        db_default=ReservationStatus.OPEN,
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    expires_at = models.DateTimeField(_("expires at"))
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    objects = TenantManager.from_queryset(ReservationQuerySet)()

    class Meta:
        db_table = "storage_reservations"
        db_table_comment = "Room set aside for uploads that are under way"
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(size_bytes__gte=0), name="storage_reservations_size_check"
            ),
            models.CheckConstraint(
                condition=Q(status__in=ReservationStatus.values),
                name="storage_reservations_status_check",
            ),
            models.CheckConstraint(
                condition=Q(status=ReservationStatus.OPEN, settled_at__isnull=True)
                | (~Q(status=ReservationStatus.OPEN) & Q(settled_at__isnull=False)),
                name="storage_reservations_settled_check",
            ),
        ]
        indexes: ClassVar = [
            Index(
                fields=["instance_id", "expires_at"],
                condition=Q(status=ReservationStatus.OPEN),
                name="idx_storage_reservations_open",
            ),
            Index(
                fields=["settled_at"],
                condition=Q(settled_at__isnull=False),
                name="idx_storage_reservations_settled",
            ),
            Index(fields=["-created_at", "-id"], name="idx_storage_reservations_list"),
        ]

    def __str__(self) -> str:
        return f"{self.status} · {self.size_bytes}"


class TierLimit(PerDatabase):
    """A tier's storage limit where KITEHUB_PLANS changes it; NULL is no limit.

    The limits of all others are in the SQL function storage_limit(). services.sync_tier_limits
    writes the rows, and a trigger takes them on to the usage rows.
    """

    tier = models.CharField(_("tier"), max_length=20, primary_key=True, choices=Tier.choices)
    limit_bytes = models.BigIntegerField(_("limit"), null=True)

    class Meta:
        db_table = "storage_tier_limits"
        db_table_comment = "Storage limits of tiers that the settings change"
        verbose_name = _("tier limit")
        verbose_name_plural = _("tier limits")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(tier__in=Tier.values), name="storage_tier_limits_tier_check"
            ),
            models.CheckConstraint(
                condition=Q(limit_bytes__gte=0), name="storage_tier_limits_limit_bytes_check"
            ),
        ]

    def __str__(self) -> str:
        return self.get_tier_display()
