"""Notes of staff in the admin: read there, and withdrawn."""

from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from kitehub.backoffice import AuditAdmin
from kitehub.backoffice.audit import Audited, Refusal, actor_of, existing, lead_to, reason_of
from kitehub.backoffice.dialogs import WhyDialog, without_actions
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.backoffice.notes import may_withdraw, model_of, page_of
from kitehub.backoffice.references import may_view
from kitehub.models import Note
from kitehub.services.notes import NoteWithdrawn, withdraw_note


@admin.register(Note)
class NoteAdmin(Audited, AuditAdmin):
    """Notes, the newest first. They are written on the pages of what they are about."""

    nothing_yet = _("Write a note on the page of an order, a transfer or a school.")
    list_display = ("created_at", "created_by", "text_start", "about_text", "withdrawn_at")
    list_filter = (("created_at", DayRangeFilter),)
    ordering = ("-created_at",)
    search_columns: ClassVar = ("created_by",)
    search_uuids: ClassVar = ("id", "row_id")
    search_help_text = _("Author, or the ID of a note or of what it is about")
    actions_detail: ClassVar[Any] = ("withdraw",)
    fields = (
        "text",
        "about_text",
        ("created_at", "created_by"),
        ("withdrawn_at", "withdrawn_by"),
        "withdrawn_reason",
    )
    readonly_fields = ("about_text",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Note]:
        """The notes about what the reader may see, as on its own page."""
        rows: QuerySet[Note] = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        seen = {
            model._meta.db_table for model in apps.get_models() if may_view(request.user, model)
        }
        return rows.filter(table_name__in=sorted(seen))

    def has_withdraw_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who writes notes; the action itself lets nobody withdraw another's."""
        return bool(
            request.user.has_perm("kitehub.add_note")
            or request.user.has_perm("kitehub.change_note")
        )

    @action(
        description=_("Withdraw"),
        icon="speaker_notes_off",
        permissions=["withdraw"],
        url_path="withdraw",
        dialog={
            "title": _("Withdraw this note?"),
            "description": _("It stays in sight, struck out, with your name and your reason."),
            "form_class": WhyDialog,
            "form_submit_text": _("Withdraw"),
        },
    )
    def withdraw(self, request: HttpRequest, form: WhyDialog, object_id: str) -> HttpResponse:
        """Marks the note as withdrawn."""
        note = existing(self.get_object(request, object_id))
        if note.withdrawn_at is None and not may_withdraw(request.user, note):
            raise Refusal(gettext("Only who wrote a note takes it back."))
        try:
            withdraw_note(
                note_id=note.pk,
                reason=reason_of(request),
                actor=actor_of(request),
                at=timezone.now(),
            )
        except NoteWithdrawn as error:
            raise Refusal(gettext("The note was withdrawn before.")) from error
        self.log(request, [note], CHANGE, [{"changed": {"fields": ["withdrawn_at"]}}])
        self.message_user(request, gettext("The note is withdrawn."))
        return lead_to(request, page_of(note) or self._page("change", note.pk))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers to withdraw what the reader may withdraw."""
        note = context.get("original")
        if note is None or not may_withdraw(request.user, note):
            without_actions(context, "withdraw")
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description=_("note"))
    def text_start(self, note: Note) -> str:
        """The beginning of the note."""
        return str(note)

    @display(description=_("about"))
    def about_text(self, note: Note) -> str:
        """The kind of thing that it is about, linked to its page."""
        model = model_of(note.table_name)
        name = str(model._meta.verbose_name) if model else note.table_name
        address = page_of(note)
        return format_html('<a href="{}">{}</a>', address, name) if address else name
