"""Every reusable filter on storage usage, events and reservations."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models
from django.db.models import (
    BigIntegerField,
    Case,
    DecimalField,
    F,
    SmallIntegerField,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast

from kitehub.models import InstanceGate
from storage.enums import ReservationStatus, StorageOperation

if TYPE_CHECKING:
    from storage.models import Reservation, StorageEvent, StorageUsage

# What an event adds to used_bytes; the trigger's SQL says the same, and a test holds them equal.
COUNTED_BYTES = Case(
    When(operation=StorageOperation.DELETE, then=-F("file_size_bytes")),
    default=F("file_size_bytes"),
    output_field=BigIntegerField(),
)

# How many percent of the limit a row has passed, of those that somebody asks for.
NEARLY_FULL, OVER_LIMIT = 90, 100
# Numeric, because a hundred times an unlimited limit is no bigint.
_LIMIT = Cast("limit_bytes", DecimalField(max_digits=25, decimal_places=2))
FILL_MARK = Case(
    When(used_bytes__gt=F("limit_bytes"), then=Value(OVER_LIMIT)),
    When(used_bytes__gt=_LIMIT * NEARLY_FULL / 100, then=Value(NEARLY_FULL)),
    default=Value(0),
    output_field=SmallIntegerField(),
)


class StorageUsageQuerySet(models.QuerySet["StorageUsage"]):
    """Storage usage."""

    def over_limit(self) -> Self:
        """Instances that store more than they may (idx_storage_usage_over_limit)."""
        return self.filter(fill_mark=OVER_LIMIT)

    def nearly_full(self) -> Self:
        """Those that use more than nine tenths of what they may (idx_storage_usage_nearly_full)."""
        return self.filter(fill_mark__gte=NEARLY_FULL)


class StorageEventQuerySet(models.QuerySet["StorageEvent"]):
    """The audit trail of uploads, deletions and adjustments."""

    def of_instance(self, instance_id: UUID) -> Self:
        """One instance's events (idx_storage_events_instance)."""
        return self.filter(instance_id=instance_id)

    def newest_first(self) -> Self:
        """The latest first (idx_storage_events_created)."""
        return self.order_by("-created_at")

    def counted_bytes(self) -> int:
        """What these events add up to: all of an instance's make its used_bytes."""
        return int(self.aggregate(total=Sum(COUNTED_BYTES, default=0))["total"])


class ReservationQuerySet(models.QuerySet["Reservation"]):
    """Room set aside for uploads."""

    def of_instance(self, instance_id: UUID) -> Self:
        """One instance's reservations."""
        return self.filter(instance_id=instance_id)

    def open(self) -> Self:
        """Those that hold room."""
        return self.filter(status=ReservationStatus.OPEN)

    def overdue(self, *, at: datetime) -> Self:
        """Those that hold room beyond their time (idx_storage_reservations_open)."""
        return self.open().filter(expires_at__lte=at)

    def settled_before(self, moment: datetime) -> Self:
        """Those that came to an end before a moment (idx_storage_reservations_settled)."""
        return self.filter(settled_at__lt=moment)

    def writable(self) -> Self:
        """Those of instances whose writes aren't refused, for duties that are done for all."""
        return self.exclude(instance_id__in=InstanceGate.objects.refusing().values("instance_id"))
