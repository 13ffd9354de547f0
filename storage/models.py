"""Storage usage and the events behind it. Tenant tables; sizes are bytes."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kitehub.db.base import Identified
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from storage.enums import FileType, StorageOperation
from storage.querysets import StorageEventQuerySet, StorageUsageQuerySet


class StorageUsage(Identified):
    """How much an instance stores and may store (plan, V7). The events' trigger keeps it."""

    instance_id = models.UUIDField(_("instance"))
    used_bytes = models.BigIntegerField(_("used"), db_default=0)
    limit_bytes = models.BigIntegerField(
        _("limit"), db_comment="Storage limit based on tier: BASIC=0, STANDARD=5GB, PREMIUM=20GB"
    )
    last_updated = models.DateTimeField(_("last change"), db_default=Now())

    objects = StorageUsageQuerySet.as_manager()

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
        ]
        indexes: ClassVar = [Index(fields=["instance_id"], name="idx_storage_usage_instance")]

    def __str__(self) -> str:
        return str(self.instance_id)


class StorageEvent(Identified):
    """One upload or deletion of a file (plan, V7)."""

    instance_id = models.UUIDField(_("instance"))
    file_type = models.CharField(_("file type"), max_length=20, choices=FileType.choices)
    file_name = models.CharField(_("file"), max_length=255)
    file_url = models.CharField(_("address"), max_length=500)
    file_size_bytes = models.BigIntegerField(_("size"))
    operation = models.CharField(_("operation"), max_length=10, choices=StorageOperation.choices)
    created_at = models.DateTimeField(_("time"), db_default=Now())
    created_by = models.CharField(_("by"), max_length=100, null=True, blank=True)

    objects = StorageEventQuerySet.as_manager()

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
        ]
        indexes: ClassVar = [
            Index(fields=["instance_id"], name="idx_storage_events_instance"),
            Index(fields=["-created_at"], name="idx_storage_events_created"),
            Index(fields=["operation"], name="idx_storage_events_operation"),
        ]

    def __str__(self) -> str:
        return f"{self.get_operation_display()} · {self.file_name}"
