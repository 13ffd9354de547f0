"""Filters on mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models

from kitehub.enums import EmailState

if TYPE_CHECKING:
    from kitehub.models import Email


class EmailQuerySet(models.QuerySet["Email"]):
    """Mail."""

    def queued(self) -> Self:
        """What still waits to be sent."""
        return self.filter(state=EmailState.QUEUED)

    def of_instance(self, instance_id: UUID) -> Self:
        """Mail about one instance (idx_emails_instance)."""
        return self.filter(instance_id=instance_id)
