"""The lifecycle of a branding job."""

from branding.enums import BrandingStatus
from kitehub.db.lifecycle import Lifecycle

BRANDING_JOB = Lifecycle(
    table="branding_jobs",
    follows={
        BrandingStatus.PENDING.value: ("PROCESSING", "FAILED"),
        # Back to PENDING: requeued, because its worker is gone.
        BrandingStatus.PROCESSING.value: ("COMPLETED", "FAILED", "PENDING"),
        # Retried.
        BrandingStatus.FAILED.value: ("PENDING",),
        BrandingStatus.COMPLETED.value: (),
    },
)
