"""Base classes of the admin's pages."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from kitehub.backoffice.search import ExactSearch

# The record's own columns, last on every page.
RECORD_FIELDSET = (
    _("Record"),
    {
        "classes": ["collapse"],
        "fields": [
            ("id", "version"),
            ("created_at", "created_by"),
            ("updated_at", "updated_by"),
        ],
    },
)


class RecordAdmin(ExactSearch, ModelAdmin):
    """A table of records that staff keep. Rows are never deleted from here."""

    list_per_page = 50
    list_filter_submit = True
    show_full_result_count = False
    compressed_fields = True
    warn_unsaved_form = True
    readonly_fields: Sequence[str] = (
        "id",
        "version",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
    )

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """A row that isn't there yet has no record to show."""
        fieldsets = super().get_fieldsets(request, obj)
        return [part for part in fieldsets if obj is not None or part is not RECORD_FIELDSET]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: a deleted row of money or of a school cannot be explained afterwards."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Saves with the login of the person who did."""
        who = request.user.get_username()[:100]
        obj.updated_by = who
        if not change:
            obj.created_by = who
        super().save_model(request, obj, form, change)


class AuditAdmin(ExactSearch, ModelAdmin):
    """A table that is written by the system and only read by people."""

    list_per_page = 50
    list_filter_submit = True
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False
