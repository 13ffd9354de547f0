"""What staff write beside a row for each other. A platform table."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kitehub.db.base import Identified
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.querysets.notes import NoteQuerySet

# In characters.
LONGEST_NOTE = 5_000


class Note(Identified):
    """A note about one row of any platform table (V18). Append-only.

    A mistaken one is withdrawn, once and with a reason, and stays in sight as such.
    """

    # KiteHub's own words about a school, not the school's.
    archived = False

    table_name = models.CharField(_("table"), max_length=63)
    row_id = models.UUIDField(_("row"))
    text = models.TextField(_("note"))
    created_at = models.DateTimeField(_("written at"), db_default=Now())
    created_by = models.CharField(_("written by"), max_length=100)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    withdrawn_by = models.CharField(_("withdrawn by"), max_length=100, null=True, blank=True)
    withdrawn_reason = models.CharField(_("why withdrawn"), max_length=500, null=True, blank=True)

    objects = NoteQuerySet.as_manager()

    class Meta:
        db_table = "notes"
        db_table_comment = "Notes of staff about rows of platform tables; append-only"
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(text=""), name="notes_text_check"),
            models.CheckConstraint(
                condition=Q(
                    withdrawn_at__isnull=True,
                    withdrawn_by__isnull=True,
                    withdrawn_reason__isnull=True,
                )
                | Q(
                    withdrawn_at__isnull=False,
                    withdrawn_by__isnull=False,
                    withdrawn_reason__isnull=False,
                ),
                name="notes_withdrawn_check",
            ),
        ]
        indexes: ClassVar = [
            Index(fields=["row_id", "table_name", "-created_at"], name="idx_notes_row"),
            Index(fields=["-created_at", "-id"], name="idx_notes_created"),
            Index(fields=["created_by", "-created_at", "-id"], name="idx_notes_created_by"),
        ]

    def __str__(self) -> str:
        return self.text if len(self.text) <= 60 else f"{self.text[:59]}…"
