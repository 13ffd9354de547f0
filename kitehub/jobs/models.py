"""Jobs as people see them, and what procrastinate's own tables don't keep: why a job failed."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django.models import ProcrastinateJob

from kitehub.db.functions import Now
from kitehub.db.sentences import spoken


class Job(ProcrastinateJob):
    """A background job; procrastinate writes it, and nobody else."""

    # What the lock of long work on a school begins with, before the school's id.
    LOCK_OF_WORK: ClassVar[str] = "work on "

    class Meta:
        proxy = True
        verbose_name = _("background job")
        verbose_name_plural = _("background jobs")
        permissions: ClassVar = [
            ("retry_job", "Can put failed jobs into the queue again"),
            ("cancel_job", "Can take jobs out of the queue"),
        ]

    @property
    def works_on(self) -> str:
        """The id of the school that it is long work on; empty for other jobs.

        Such work is asked for on the school's page, by who may, with its subdomain typed again: a
        mere repetition would go past all that, when it may not be wanted any more.
        """
        lock = self.lock or ""
        return lock.removeprefix(self.LOCK_OF_WORK) if lock.startswith(self.LOCK_OF_WORK) else ""


class JobFailure(models.Model):
    """The last error of a job. It goes with the job (the constraint is in the migration's SQL)."""

    job = models.OneToOneField(
        ProcrastinateJob,
        models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        related_name="failure",
        verbose_name=_("job"),
    )
    error = models.TextField(_("error"))
    said = models.JSONField(
        _("error as a sentence"),
        null=True,
        db_comment="What the error is made of, where it can be said in the reader's language",
    )
    failed_at = models.DateTimeField(_("failed at"), db_default=Now())

    objects: ClassVar[models.Manager["JobFailure"]] = models.Manager()

    class Meta:
        db_table = "job_failures"
        db_table_comment = "Why a background job failed the last time"
        verbose_name = _("job failure")
        verbose_name_plural = _("job failures")

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """What went wrong, in the active language where somebody foresaw it."""
        return spoken(self.said) if self.said else self.error
