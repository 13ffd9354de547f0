"""Every reusable filter on storage usage and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models
from django.db.models import DecimalField, F
from django.db.models.functions import Cast

if TYPE_CHECKING:
    from storage.models import StorageEvent, StorageUsage


class StorageUsageQuerySet(models.QuerySet["StorageUsage"]):
    """Storage usage."""

    def over_limit(self) -> Self:
        """Instances that store more than they may."""
        return self.filter(used_bytes__gt=F("limit_bytes"))

    def above(self, percent: int) -> Self:
        """Instances that use more than so many percent of what they may.

        Counted in numeric: a limit that stands for none would overflow a bigint.
        """
        limit = Cast("limit_bytes", DecimalField(max_digits=19, decimal_places=0))
        return self.filter(used_bytes__gt=limit * percent / 100)


class StorageEventQuerySet(models.QuerySet["StorageEvent"]):
    """The audit trail of uploads and deletions."""

    def of_instance(self, instance_id: UUID) -> Self:
        """One instance's events (idx_storage_events_instance)."""
        return self.filter(instance_id=instance_id)

    def newest_first(self) -> Self:
        """The latest first (idx_storage_events_created)."""
        return self.order_by("-created_at")
