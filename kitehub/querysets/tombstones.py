"""Filters on tombstones."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from kitehub.models import Tombstone


class TombstoneQuerySet(models.QuerySet["Tombstone", "Tombstone"]):
    """Closed schools."""

    def open(self) -> Self:
        """Those whose data is still there and that weren't cancelled."""
        return self.filter(canceled_at__isnull=True, dropped_at__isnull=True)

    def due(self, *, at: datetime) -> Self:
        """Those whose data goes by a moment, first come first (idx_instance_tombstones_due)."""
        return self.open().filter(deprovision_at__lte=at).order_by("deprovision_at", "id")
