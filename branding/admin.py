"""Branding jobs in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from branding.enums import BrandingStatus
from branding.lifecycles import BRANDING_JOB
from branding.models import BrandingJob
from kitehub.backoffice import RecordAdmin
from kitehub.backoffice.base import RECORD_FIELDSET
from kitehub.backoffice.exports import Column
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.backoffice.names import instances_at
from kitehub.backoffice.tabs import tabs_of
from kitehub.display import percent

STATUS_COLOURS = {
    BrandingStatus.PENDING.value: "warning",
    BrandingStatus.PROCESSING.value: "info",
    BrandingStatus.COMPLETED.value: "success",
    BrandingStatus.FAILED.value: "danger",
}


@admin.register(BrandingJob)
class BrandingJobAdmin(RecordAdmin):
    """AI branding jobs."""

    lifecycle = BRANDING_JOB
    refusals: ClassVar[dict[str, Any]] = {
        "guard_branding_jobs_progress": _(
            "Nothing was saved: the progress of a job cannot go back while it runs."
        ),
    }
    list_display = (
        "job_id",
        "instance",
        "status_label",
        "progress_text",
        "language",
        "created_at",
        "updated_at",
        "error_message",
    )
    export_columns: ClassVar = (
        "job_id",
        Column("instance__organization_name", _("instance")),
        "status",
        Column("progress_percentage", unit="%"),
        "language",
        "created_at",
        "updated_at",
        "error_message",
        "id",
    )
    list_filter = (("created_at", DayRangeFilter),)
    tabs = tabs_of("status", BrandingStatus)
    nothing_yet = _("Owners start jobs in their portal.")
    list_select_related = ("instance",)
    ordering = ("-created_at",)
    search_columns: ClassVar = ("job_id",)
    search_uuids = ("id", "instance_id")
    search_help_text = _("Job code, subdomain or ID")
    autocomplete_fields = ("instance",)
    fieldsets = (
        (None, {"fields": (("job_id", "instance"), "organization_name", ("logo_url", "language"))}),
        (_("Progress"), {"fields": (("status", "progress_percentage"), "error_message")}),
        (_("Result"), {"fields": ("generated_assets",)}),
        RECORD_FIELDSET,
    )

    def related_matches(self, term: str) -> Q:
        """Jobs of the instance with this subdomain."""
        instances = instances_at(term)
        return Q(instance_id__in=instances) if instances else Q()

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_label(self, job: BrandingJob) -> tuple[str, str]:
        """The status as a coloured label."""
        return job.status, job.get_status_display()

    @display(description=_("progress"), ordering="progress_percentage")
    def progress_text(self, job: BrandingJob) -> str:
        """The progress in percent."""
        return percent(job.progress_percentage, 100)
