"""Filters on notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from kitehub.models import Note


class NoteQuerySet(models.QuerySet["Note", "Note"]):
    """What staff wrote."""

    def about(self, row: models.Model) -> Self:
        """The notes about one row, newest first (idx_notes_row)."""
        found = self.filter(table_name=row._meta.db_table, row_id=row.pk)
        return found.order_by("-created_at", "-id")
