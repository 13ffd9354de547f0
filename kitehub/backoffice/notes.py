"""Notes on the pages of rows: read at the top, written in a dialog."""

from typing import Any, ClassVar

from django import forms
from django.apps import apps
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from kitehub.backoffice.audit import actor_name, actor_of, existing, lead_to
from kitehub.backoffice.search import parse_uuid
from kitehub.models import Note
from kitehub.models.notes import LONGEST_NOTE
from kitehub.services.notes import write_note

WRITE_NOTE = "write-note"
# At the top of a page; the timeline has more.
MOST_ON_TOP = 20


class NoteForm(BaseDialogForm):
    """Asks for the note."""

    field_order = ("text",)

    text = forms.CharField(
        label=_("Note"),
        max_length=LONGEST_NOTE,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        help_text=_("Colleagues see it with your name. It can't be changed, only withdrawn."),
    )


class Noted:
    """For a ModelAdmin behind Audited: staff write notes about its rows."""

    model: Any
    actions_detail: ClassVar[Any] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The instance's own: each subclass says its others without having to think of this one.
        self.actions_detail = (*self.actions_detail, "write_note")  # type: ignore[misc]

    @action(
        description=_("Write a note"),
        icon="sticky_note_2",
        permissions=["write_note"],
        url_path=WRITE_NOTE,
        dialog={
            "title": _("Write a note"),
            "form_class": NoteForm,
            "form_submit_text": _("Keep the note"),
        },
    )
    def write_note(self, request: HttpRequest, form: NoteForm, object_id: str) -> HttpResponse:
        """Keeps a note about the row, of who sent the request."""
        its: Any = self
        key = parse_uuid(object_id)
        # Not by get_object, which would lock a row that nothing is written to.
        row = existing(self.model._base_manager.filter(pk=key).first() if key else None)
        write_note(
            about=row, text=form.cleaned_data["text"], actor=actor_of(request), at=timezone.now()
        )
        its.message_user(request, gettext("The note is kept."))
        return lead_to(request, its._page("change", row.pk))

    def has_write_note_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may write notes, about what they see."""
        its: Any = self
        return bool(request.user.has_perm("kitehub.add_note") and its.has_view_permission(request))


def page_of(note: Note) -> str:
    """The address of the page of the row that a note is about; empty where none has one."""
    model = model_of(note.table_name)
    if model is None:
        return ""
    try:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        return reverse(name, args=[note.row_id])
    except NoReverseMatch:
        return ""


def model_of(table: str) -> type[Model] | None:
    """The model of a table, by the table's name."""
    return next((each for each in apps.get_models() if each._meta.db_table == table), None)


def may_withdraw(user: Any, note: Note) -> bool:
    """Who wrote a note takes it back; another's, who may change notes."""
    own = note.created_by == actor_name(user) and user.has_perm("kitehub.add_note")
    return note.withdrawn_at is None and bool(own or user.has_perm("kitehub.change_note"))
