"""Schools that leave: what is to become of their rows, and what was done to rows by archive."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kitehub.db.base import Identified
from kitehub.db.fields import LooseForeignKey
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.querysets.tombstones import TombstoneQuerySet
from kitehub.tenancy.base import PerDatabase


class Tombstone(Identified):
    """A school that was closed, and when its data goes. It outlives the data.

    Until `erasing_at` it can be cancelled; `dropped_at` says that the data is gone. The archive is
    the newest one; `earlier_archives` are those that later writes made incomplete.
    """

    # No archive has them: they are about the archive.
    archived = False

    instance = LooseForeignKey(
        "kitehub.Instance", related_name="tombstones", verbose_name=_("instance")
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    requested_by = models.CharField(_("closed by"), max_length=100)
    requested_at = models.DateTimeField(_("closed at"), db_default=Now())
    deprovision_at = models.DateTimeField(_("data goes at"))
    archive_path = models.CharField(_("archive"), max_length=1000)
    archive_sha256 = models.CharField(_("SHA-256 of the archive"), max_length=64)
    earlier_archives = models.JSONField(_("earlier archives"), default=list, db_default=[])
    canceled_at = models.DateTimeField(_("cancelled at"), null=True)
    canceled_by = models.CharField(_("cancelled by"), max_length=100, null=True)
    erasing_at = models.DateTimeField(_("erasing since"), null=True)
    dropped_at = models.DateTimeField(_("data gone at"), null=True)

    objects = TombstoneQuerySet.as_manager()

    class Meta:
        db_table = "instance_tombstones"
        db_table_comment = "Closed instances, and when their data goes"
        verbose_name = _("closed school")
        verbose_name_plural = _("closed schools")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["instance"],
                condition=Q(canceled_at__isnull=True),
                name="instance_tombstones_instance_key",
            ),
            models.CheckConstraint(
                condition=Q(canceled_at__isnull=True) | Q(erasing_at__isnull=True),
                name="instance_tombstones_canceled_check",
            ),
            models.CheckConstraint(
                condition=Q(dropped_at__isnull=True) | Q(erasing_at__isnull=False),
                name="instance_tombstones_dropped_check",
            ),
        ]
        indexes: ClassVar = [
            Index(
                fields=["deprovision_at"],
                condition=Q(canceled_at__isnull=True, dropped_at__isnull=True),
                name="idx_instance_tombstones_due",
            ),
            Index(fields=["-deprovision_at", "-id"], name="idx_instance_tombstones_list"),
            Index(fields=["instance"], name="idx_instance_tombstones_instance"),
            Index(fields=["archive_sha256"], name="idx_instance_tombstones_archive"),
        ]

    def __str__(self) -> str:
        return str(self.instance or self.instance_id)


class ArchiveRun(PerDatabase, Identified):
    """Rows of an instance that came into this database from an archive, or left it for one.

    While a run is open the triggers of storage events let archived rows in as they are, or let the
    instance's rows be deleted. It is open within one transaction only, so nobody else sees it so.
    """

    archived = False

    class Kind(models.TextChoices):
        """What was done."""

        IMPORT = "IMPORT", _("Import")
        ERASURE = "ERASURE", _("Erasure")

    instance_id = models.UUIDField(_("instance"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    actor = models.CharField(_("by"), max_length=100)
    archive_sha256 = models.CharField(_("SHA-256 of the archive"), max_length=64)
    started_at = models.DateTimeField(_("started at"), db_default=Now())
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        db_table = "archive_runs"
        db_table_comment = "Imports and erasures of instances' rows, by archive"
        verbose_name = _("archive run")
        verbose_name_plural = _("archive runs")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["IMPORT", "ERASURE"]), name="archive_runs_kind_check"
            ),
        ]
        indexes: ClassVar = [
            Index(fields=["instance_id"], name="idx_archive_runs_instance"),
            Index(fields=["-started_at", "-id"], name="idx_archive_runs_list"),
            Index(fields=["kind", "-started_at", "-id"], name="idx_archive_runs_list_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.instance_id}"
