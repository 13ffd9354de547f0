"""Every reusable filter on guest sessions and events."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models

if TYPE_CHECKING:
    from analytics.models import GuestEvent, GuestSession


class GuestSessionQuerySet(models.QuerySet["GuestSession"]):
    """Guest sessions."""

    def of_instance(self, instance_id: UUID) -> Self:
        """One instance's sessions (idx_guest_sessions_instance)."""
        return self.filter(instance_id=instance_id)

    def past_retention(self, *, before: datetime) -> Self:
        """Sessions made before a moment, to be purged (idx_guest_sessions_created)."""
        return self.filter(created_at__lt=before)

    def expired(self, *, at: datetime) -> Self:
        """Sessions that have ended at a moment (idx_guest_sessions_expires)."""
        return self.filter(expires_at__lt=at)


class GuestEventQuerySet(models.QuerySet["GuestEvent"]):
    """Guest events."""

    def of_instance(self, instance_id: UUID) -> Self:
        """One instance's events (idx_guest_events_instance)."""
        return self.filter(instance_id=instance_id)

    def of_type(self, event_type: str) -> Self:
        """Events of one type."""
        return self.filter(event_type=event_type)

    def between(self, start: datetime, end: datetime) -> Self:
        """Events from `start` on and before `end`.

        With `of_instance` and `of_type`, on idx_guest_events_instance_type_timestamp.
        """
        return self.filter(timestamp__gte=start, timestamp__lt=end)

    def past_retention(self, *, before: datetime) -> Self:
        """Events that happened before a moment, to be purged (idx_guest_events_timestamp)."""
        return self.filter(timestamp__lt=before)
