"""Deleting and restoring in the admin: a mark on the row, set and taken off, both in the log."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, DELETION
from django.contrib.admin.utils import model_ngettext
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from kitehub.backoffice import history
from kitehub.backoffice.audit import Refusal, existing, lead_to
from kitehub.backoffice.forms import Reasoned
from kitehub.db.base import Record

# A form may have 1,000 fields (DATA_UPLOAD_MAX_NUMBER_FIELDS), and each chosen row is one.
MOST_AT_ONCE = 500
# Named one by one on the page that asks.
MOST_NAMED = 20

RESTORED_MESSAGE: list[dict[str, Any]] = [
    {"changed": {"fields": ["deleted"]}},
    {history.RESTORED: True},
]


class DeletedFilter(admin.SimpleListFilter):
    """Rows that are not deleted, unless one asks for the others."""

    title = gettext_lazy("deletion")
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Beside the rows that are not deleted: those that are, and all."""
        return [("yes", gettext_lazy("Deleted")), ("all", gettext_lazy("All, also deleted"))]

    def choices(self, changelist: Any) -> Any:
        """Django calls the first choice "All", which here it is not."""
        first, *others = super().choices(changelist)
        return [{**first, "display": gettext("Not deleted")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the choice; of an unknown one, those that are not deleted."""
        if self.value() == "all":
            return queryset
        return queryset.filter(deleted=self.value() == "yes")


class RestoreForm(Reasoned, BaseDialogForm):
    """Asks why before a row is restored."""

    field_order = ("reason",)


class SoftDeletion:
    """For the ModelAdmin of a record, behind Audited."""

    model: Any
    delete_confirmation_template = "kitehub/backoffice/delete_confirmation.html"
    actions: ClassVar[Any] = ("delete_selected", "restore_selected")
    actions_detail: ClassVar[Any] = ("restore",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Deleted rows too: they have a page and can be listed, but not chosen in a form."""
        admin_itself: Any = self
        rows: QuerySet[Any] = self.model.all_objects.order_by(*admin_itself.get_ordering(request))
        match = request.resolver_match
        return rows.filter(deleted=False) if match and match.url_name == "autocomplete" else rows

    def get_list_filter(self, request: HttpRequest) -> Any:
        """The deleted ones last: they are asked for least."""
        return [*super().get_list_filter(request), DeletedFilter]  # type: ignore[misc]

    def get_list_display(self, request: HttpRequest) -> Any:
        """A list that may have deleted rows says which they are."""
        first, *others = super().get_list_display(request)  # type: ignore[misc]
        asked = request.GET.get(DeletedFilter.parameter_name)
        return [first, "deleted_label", *others] if asked else [first, *others]

    def get_actions(self, request: HttpRequest) -> Any:
        """Those that can do something to the rows of the list."""
        offered = super().get_actions(request)  # type: ignore[misc]
        listed = request.GET.get(DeletedFilter.parameter_name)
        if listed != "all":
            offered.pop("delete_selected" if listed == "yes" else "restore_selected", None)
        return offered

    @display(description=gettext_lazy("deletion"), label={"deleted": "danger"})
    def deleted_label(self, row: Record) -> tuple[str, str] | str:
        """A label on deleted rows."""
        return ("deleted", gettext("Deleted")) if row.deleted else ""

    def check_deletion(self, rows: Sequence[Any]) -> None:
        """For an admin whose rows can't all be deleted: raises Refusal where one can't be."""

    def check_restoring(self, rows: Sequence[Any]) -> None:
        """For an admin whose rows come back in other ways too: raises Refusal where one does."""

    # --- One row ------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A deleted row is only looked at.

        What comes in is let through to the form, which says that the row was deleted and keeps
        the input.
        """
        # unfold asks with a key where it has no row.
        if request.method != "POST" and isinstance(obj, Record) and obj.deleted:
            return False
        return bool(super().has_change_permission(request, obj))  # type: ignore[misc]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Only the rows themselves: what refers to them stays, and nothing can be in the way."""
        names = [str(row) for row in objs]
        return names, {model_ngettext(self.model._meta, len(names)): len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Record) -> None:
        """Marks the row as deleted."""
        self.check_deletion([obj])
        if not obj.delete()[0]:
            raise Refusal(gettext("“%(row)s” is deleted already.") % {"row": obj})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers to restore what is deleted, delete what isn't, see what is in the way."""
        its: Any = self
        form = context["adminform"].form
        context["blocking"] = [
            (twin, its._page("change", twin.pk)) for twin in getattr(form, "in_the_way", [])
        ]
        row = context.get("original")
        if row is None or not row.deleted:
            # By its address: unfold's list has no names.
            context["actions_detail"] = [
                offered
                for offered in context.get("actions_detail", [])
                if not str(offered.get("path", "")).endswith("/restore/")
            ]
        else:
            context["show_delete"] = False
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    @action(
        description=gettext_lazy("Restore"),
        icon="restore_from_trash",
        permissions=["delete"],
        url_path="restore",
        dialog={
            "title": gettext_lazy("Restore it?"),
            "description": gettext_lazy("It is in the lists again, as it was when it was deleted."),
            "form_class": RestoreForm,
            "form_submit_text": gettext_lazy("Restore"),
        },
    )
    def restore(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Takes the mark of deletion off the row."""
        its: Any = self
        row = existing(its.get_object(request, object_id))
        self.check_restoring([row])
        if not row.restore()[0]:
            raise Refusal(gettext("“%(row)s” is not deleted.") % {"row": row})
        its.log(request, [row], CHANGE, RESTORED_MESSAGE)
        messages.success(request, gettext("“%(row)s” is restored.") % {"row": row})
        return lead_to(request, its._page("change", row.pk))

    # --- Several rows -------------------------------------------------------------------------

    @admin.action(
        description=gettext_lazy("Delete selected %(verbose_name_plural)s"), permissions=["delete"]
    )
    def delete_selected(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> TemplateResponse | None:
        """Marks the rows as deleted, once somebody has confirmed it."""
        return self._mark_selected(request, queryset, deleted=True)

    @admin.action(
        description=gettext_lazy("Restore selected %(verbose_name_plural)s"),
        permissions=["delete"],
    )
    def restore_selected(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> TemplateResponse | None:
        """Takes the mark of deletion off the rows, once somebody has confirmed it."""
        return self._mark_selected(request, queryset, deleted=False)

    def _mark_selected(
        self, request: HttpRequest, queryset: QuerySet[Any], *, deleted: bool
    ) -> TemplateResponse | None:
        rows = self._lock_selected(queryset, deleted=not deleted)
        if not rows:
            messages.warning(
                request,
                gettext("All of these are deleted already.")
                if deleted
                else gettext("None of these is deleted."),
            )
            return None
        form = Reasoned(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, rows, form, deleted=deleted)
        self._write_marks(request, rows, deleted=deleted)
        return None

    def _lock_selected(self, queryset: QuerySet[Any], *, deleted: bool) -> list[Record]:
        """The chosen rows that can be marked; in one order for everybody, so that none waits."""
        chosen = queryset.filter(deleted=deleted).order_by().values_list("pk", flat=True)
        keys = list(chosen[: MOST_AT_ONCE + 1])
        if len(keys) > MOST_AT_ONCE:
            raise Refusal(
                gettext("At most %(most)s rows at once; choose fewer.") % {"most": MOST_AT_ONCE}
            )
        rows = self.model.all_objects.filter(pk__in=keys, deleted=deleted)
        # With what the rows' names need, where the list says so.
        its: Any = self
        names = its.list_select_related if isinstance(its.list_select_related, tuple) else ()
        rows = rows.select_related(*names) if names else rows
        return list(rows.order_by("pk").select_for_update(of=("self",)))

    def _write_marks(self, request: HttpRequest, rows: list[Record], *, deleted: bool) -> None:
        marked = self.model.all_objects.filter(pk__in=[row.pk for row in rows])
        its: Any = self
        if deleted:
            self.check_deletion(rows)
            marked.delete()
            its.log(request, rows, DELETION, [])
            said = ngettext("%(count)s row deleted.", "%(count)s rows deleted.", len(rows))
        else:
            self.check_restoring(rows)
            marked.restore()
            its.log(request, rows, CHANGE, RESTORED_MESSAGE)
            said = ngettext("%(count)s row restored.", "%(count)s rows restored.", len(rows))
        messages.success(request, said % {"count": len(rows)})

    def _ask(
        self, request: HttpRequest, rows: list[Record], form: Reasoned, *, deleted: bool
    ) -> TemplateResponse:
        its: Any = self
        context = {
            **its.admin_site.each_context(request),
            "title": gettext("Delete") if deleted else gettext("Restore"),
            "opts": its.opts,
            "media": its.media,
            "named": rows[:MOST_NAMED],
            "more": max(len(rows) - MOST_NAMED, 0),
            "rows": rows,
            "action": "delete_selected" if deleted else "restore_selected",
            "deletes": deleted,
            "reason_form": form,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        request.current_app = its.admin_site.name
        return TemplateResponse(request, "kitehub/backoffice/confirm_selected.html", context)
