"""Every reusable filter on branding jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from branding.enums import BrandingStatus
from kitehub.db.querysets import RecordQuerySet

if TYPE_CHECKING:
    from branding.models import BrandingJob


class BrandingJobQuerySet(RecordQuerySet["BrandingJob"]):
    """Branding jobs."""

    def unfinished(self) -> Self:
        """Jobs that wait or run."""
        return self.filter(status__in=[BrandingStatus.PENDING, BrandingStatus.PROCESSING])

    def to_poll(self) -> Self:
        """Unfinished jobs, those that wait before those that run, the latest change first.

        In this order a first page comes straight from idx_branding_jobs_status_updated.
        """
        return self.unfinished().order_by("status", "-updated_at")

    def of_instance(self, instance_id: UUID) -> Self:
        """One instance's jobs (idx_branding_jobs_instance)."""
        return self.filter(instance_id=instance_id)
