"""Writing notes about rows, and withdrawing mistaken ones."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from kitehub.db.acting import REASON_LENGTH
from kitehub.models import Note
from kitehub.models.notes import LONGEST_NOTE


class NoteWithdrawn(Exception):
    """The note was withdrawn before; what was said then stays."""


def write_note(*, about: Model, text: str, actor: str, at: datetime) -> Note:
    """Keeps a note about a row, as it was written but for blanks around it.

    Raises ValueError for one that is empty, too long or has a NUL in it.
    """
    said = text.replace("\r\n", "\n").strip()
    if not 0 < len(said) <= LONGEST_NOTE or "\x00" in said:
        raise ValueError(f"A note has 1 to {LONGEST_NOTE} characters.")
    return Note.objects.create(
        table_name=about._meta.db_table,
        row_id=about.pk,
        text=said,
        created_at=at,
        created_by=actor,
    )


def withdraw_note(*, note_id: UUID, reason: str, actor: str, at: datetime) -> Note:
    """Marks a note as withdrawn; it stays in sight with the reason.

    Raises NoteWithdrawn where it was before, Note.DoesNotExist where there is none, and ValueError
    for a reason that is empty or too long.
    """
    if not 0 < len(reason.strip()) <= REASON_LENGTH:
        raise ValueError(f"A reason has 1 to {REASON_LENGTH} characters.")
    with transaction.atomic():
        note = Note.objects.select_for_update(no_key=True).get(pk=note_id)
        if note.withdrawn_at is not None:
            raise NoteWithdrawn
        note.withdrawn_at, note.withdrawn_by, note.withdrawn_reason = at, actor, reason.strip()
        note.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason"])
    return note
