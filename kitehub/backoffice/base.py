"""Base classes of the admin's pages."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from kitehub.backoffice import history, stale
from kitehub.backoffice.audit import REASON_FIELDSET, Audited
from kitehub.backoffice.bulk import ShowsResults
from kitehub.backoffice.deletion import SoftDeletion
from kitehub.backoffice.differences import Spelling
from kitehub.backoffice.exports import Exported
from kitehub.backoffice.forms import RecordForm
from kitehub.backoffice.lists import CarefulLists
from kitehub.backoffice.search import ExactSearch
from kitehub.db.lifecycle import Lifecycle

# The record's own columns, last on every page.
RECORD_FIELDSET: tuple[Any, dict[str, Any]] = (
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


class RecordAdmin(
    Audited, SoftDeletion, ExactSearch, ShowsResults, Exported, CarefulLists, ModelAdmin
):
    """A table of records that staff keep.

    A save over a change that somebody else made meanwhile is refused and shown; a deletion is a
    mark that can be taken off again.
    """

    form = RecordForm
    # How values are written in what changed, where the field's type doesn't tell.
    spelling: ClassVar[Spelling] = {}
    lifecycle: ClassVar[Lifecycle | None] = None

    list_per_page = 50
    list_filter_submit = True
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
        """A row that isn't there yet has no record to show; where there is one, it comes last."""
        fieldsets = super().get_fieldsets(request, obj)
        others = [part for part in fieldsets if part is not RECORD_FIELDSET]
        has_one = obj is not None and len(others) < len(fieldsets)
        if obj is not None and not self._enters_anything(request, obj, others):
            # Nothing can be changed here, so nobody is asked why.
            others = [part for part in others if part is not REASON_FIELDSET]
        return [*others, RECORD_FIELDSET] if has_one else others

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form, told what its page shows and which states may follow."""
        form = super().get_form(request, obj, change=change, **kwargs)
        told = {
            "shown": self._shown_columns(request, obj),
            "spelling": self.spelling,
            "lifecycle": self.lifecycle,
        }
        return type(form.__name__, (form,), told)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers to save only where there is something to enter."""
        row = context.get("original")
        if row is not None and not self._enters_anything(
            request, row, self.get_fieldsets(request, row)
        ):
            context |= {"show_save": False, "show_save_and_continue": False}
            context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def _enters_anything(self, request: HttpRequest, row: Any, fieldsets: Any) -> bool:
        """Whether the page of a row has a field to fill in."""
        fixed = {*self.get_readonly_fields(request, row), "reason"}
        return bool(set(flatten_fieldsets(fieldsets)) - fixed)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        """Also from which value to which."""
        message = super().construct_change_message(request, form, formsets, add)
        before = getattr(form, "before", None)
        if before is None:
            return message
        after = stale.snapshot_of(form.instance, before.values)
        return [*message, *history.values_part(before.values, after.values)]

    def _shown_columns(self, request: HttpRequest, obj: Any) -> list[str]:
        """The model's fields that the page shows, as they are or as a method writes them."""
        names = []
        own = {name for part in RECORD_FIELDSET[1]["fields"] for name in part}
        for shown in flatten_fieldsets(self.get_fieldsets(request, obj)):
            method = getattr(self, shown, None)
            name = getattr(method, "admin_order_field", None) or shown
            if name in own or name in names:
                continue
            try:
                field = self.opts.get_field(name)
            except FieldDoesNotExist:
                continue
            if field.concrete:
                names.append(name)
        return names


class AuditAdmin(ExactSearch, ShowsResults, Exported, CarefulLists, ModelAdmin):
    """A table that is written by the system and only read by people."""

    list_per_page = 50
    list_filter_submit = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False
