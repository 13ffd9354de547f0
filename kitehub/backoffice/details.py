"""The page of a row beside its form: notes, what people copy, what belongs to it, what happened."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from django.forms import Media
from django.http import HttpRequest
from django.urls import reverse

from kitehub.backoffice import panels
from kitehub.backoffice.dialogs import without_actions
from kitehub.backoffice.notes import MOST_ON_TOP, WRITE_NOTE, Noted, may_withdraw
from kitehub.backoffice.panels import Copy, Panel
from kitehub.backoffice.references import may_view
from kitehub.backoffice.timeline import (
    ASKED,
    Source,
    log_events,
    note_events,
    timeline_for,
)
from kitehub.models import Note


class Detailed(Noted):
    """For a ModelAdmin behind Audited: its pages tell of a row what its own columns don't.

    A subclass says where to ask. Whatever a reader may not see is neither asked for nor linked to.
    """

    # A template of the subclass's own, between the notes and the form.
    detail_template: ClassVar[str] = ""

    def sources_of(self, row: Any) -> Sequence[Source]:
        """The tables that know what happened to the row."""
        return ()

    def panels_of(self, row: Any, may: Callable[[Any], bool]) -> Sequence[Panel]:
        """What belongs to the row; `may` says whether the reader may view a table."""
        return ()

    def copies_of(self, row: Any) -> Sequence[Copy]:
        """What people copy from the page."""
        return ()

    def extras_of(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What `detail_template` shows."""
        return {}

    @property
    def media(self) -> Any:
        """With the pages' own style and script."""
        own: Any = super().media  # type: ignore[misc]
        return own + Media(
            css={"all": ["kitehub/backoffice/detail.css"]}, js=["kitehub/backoffice/copy.js"]
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Adds all that there is to tell of a row that is there."""
        # Its button is beside the notes.
        without_actions(context, WRITE_NOTE)
        row = context.get("original")
        if row is not None:
            context["detail"] = self._detail(request, row)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def _detail(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        user: Any = request.user
        notes = self._notes(user, row)
        spelling = getattr(self, "spelling", {})
        told: list[Source] = [
            Source(type(row), partial(log_events, row, spelling)),
            Source(Note, partial(note_events, notes)),
        ]
        return {
            "template": self.detail_template,
            "copies": [copy for copy in self.copies_of(row) if copy.text],
            "panels": panels.shown(user, self.panels_of(row, partial(may_view, user))),
            "timeline": timeline_for(user, [*told, *self.sources_of(row)]),
            **self._shown_notes(user, row, notes),
            **self.extras_of(request, row),
        }

    def _notes(self, user: Any, row: Any) -> list[Note]:
        return list(Note.objects.about(row)[:ASKED]) if may_view(user, Note) else []

    def _shown_notes(self, user: Any, row: Any, notes: list[Note]) -> dict[str, Any]:
        its: Any = self
        return {
            "notes": [
                (note, reverse("admin:kitehub_note_withdraw", args=[note.pk]))
                if may_withdraw(user, note)
                else (note, "")
                for note in notes[:MOST_ON_TOP]
            ],
            "more_notes": len(notes) > MOST_ON_TOP,
            "write_note": its._page("write_note", row.pk)
            if user.has_perm("kitehub.add_note")
            else "",
        }
