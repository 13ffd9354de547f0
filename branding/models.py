"""AI branding jobs."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from branding.enums import BrandingStatus
from branding.querysets import BrandingJobQuerySet
from kitehub.db.base import Record
from kitehub.db.constraints import deletion_agrees
from kitehub.db.fields import EnumField, LooseForeignKey
from kitehub.db.indexes import Index
from kitehub.db.querysets import AliveManager


class BrandingJob(Record):
    """One run of the AI that makes a school's pictures and texts from its logo (plan, V5)."""

    job_id = models.CharField(_("job code"), max_length=50)
    instance = LooseForeignKey(
        "kitehub.Instance", related_name="branding_jobs", verbose_name=_("instance")
    )
    logo_url = models.CharField(_("logo"), max_length=500, null=True, blank=True)
    organization_name = models.CharField(_("organization"), max_length=200)
    language = models.CharField(_("language"), max_length=10, db_default="vi")
    status = EnumField(
        _("status"),
        enum=BrandingStatus,
        enum_type="branding_status",
        db_default=BrandingStatus.PENDING.value,
    )
    generated_assets = models.JSONField(
        _("generated assets"),
        null=True,
        blank=True,
        db_comment=(
            "Generated assets: profile images, hero images, logos, banners, marketing copy"
        ),
    )
    error_message = models.CharField(_("error"), max_length=1000, null=True, blank=True)
    progress_percentage = models.IntegerField(
        _("progress (%)"),
        db_default=0,
        db_comment="0-100%: Logo analysis (20%), Hero generation (60%), Marketing copy (100%)",
    )

    objects = AliveManager.from_queryset(BrandingJobQuerySet)()
    all_objects = BrandingJobQuerySet.as_manager()

    class Meta:
        db_table = "branding_jobs"
        db_table_comment = "AI branding generation jobs (GPT-4 Vision + DALL-E 3)"
        verbose_name = _("branding job")
        verbose_name_plural = _("branding jobs")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job_id"], name="branding_jobs_job_id_key"),
            models.CheckConstraint(
                condition=Q(progress_percentage__gte=0, progress_percentage__lte=100),
                name="branding_jobs_progress_percentage_check",
            ),
            deletion_agrees("branding_jobs"),
        ]
        indexes: ClassVar = [
            # Lists of the back office: the order of each, behind what it is narrowed by.
            Index(
                fields=["-created_at", "-id"],
                name="idx_branding_jobs_list",
                condition=Q(deleted=False),
            ),
            Index(
                fields=["status", "-created_at", "-id"],
                name="idx_branding_jobs_list_status",
                condition=Q(deleted=False),
            ),
            Index(
                fields=["-created_at", "-id"],
                name="idx_branding_jobs_deleted",
                condition=Q(deleted=True),
            ),
            Index(fields=["job_id"], name="idx_branding_jobs_job_id"),
            Index(fields=["instance"], name="idx_branding_jobs_instance"),
            Index(fields=["status"], name="idx_branding_jobs_status"),
            Index(fields=["-created_at"], name="idx_branding_jobs_created"),
            Index(
                fields=["status", "-updated_at"],
                name="idx_branding_jobs_status_updated",
                condition=Q(
                    status__in=[BrandingStatus.PENDING.value, BrandingStatus.PROCESSING.value]
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.job_id
