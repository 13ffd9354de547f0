"""Who changed what, and why: every write of the admin tells the database, and is in the log."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError, OperationalError, router, transaction
from django.db.models import DateTimeField, JSONField, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from kitehub.backoffice import history
from kitehub.backoffice.choosers import CarefulSelect
from kitehub.backoffice.forms import Reasoned
from kitehub.backoffice.json_fields import StorableJSONField
from kitehub.backoffice.moments import MomentField
from kitehub.db.acting import ACTOR_LENGTH, REASON_LENGTH, acting
from kitehub.db.base import StaleRow
from kitehub.db.contention import is_contention
from kitehub.db.gates import GateReason, WritesRefused
from kitehub.db.lifecycle import ForbiddenTransition

_T = TypeVar("_T")
# Its own section, at the end of what people fill in.
REASON_FIELDSET: tuple[Any, dict[str, Any]] = (gettext_lazy("Why"), {"fields": ("reason",)})


class Refusal(Exception):
    """Why something cannot be done, in words for the person who asked for it."""


def existing(row: _T | None) -> _T:
    """The row, where it is there (still). Raises Refusal for none."""
    if row is None:
        raise Refusal(gettext("There is no such row."))
    return row


# What may stop a write without being anybody's bug.
REFUSED = (Refusal, StaleRow, ForbiddenTransition, IntegrityError, WritesRefused)


@contextmanager
def refusing_contention() -> Iterator[None]:
    """Tells whoever ran into a deadlock or a lock, by a Refusal, that somebody else was quicker.

    Around the whole transaction, as nothing of it is left.
    """
    try:
        yield
    except OperationalError as error:
        if not is_contention(error):
            raise
        raise Refusal(gettext("Somebody else is changing it. Try again.")) from error


def refusal_of(error: Exception, constraints: Mapping[str, Any] | None = None) -> str:
    """Why nothing was written, for the person who tried; of `constraints` in their own words."""
    if isinstance(error, StaleRow):
        return _changed_meanwhile(error)
    if isinstance(error, IntegrityError):
        return _constraint_of(error, constraints or {})
    if isinstance(error, WritesRefused):
        return _closed(error)
    if isinstance(error, ForbiddenTransition):
        why = gettext("Nothing was saved: this change of state is not allowed (%(which)s).")
        return why % {"which": error}
    return "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)


def actor_of(request: HttpRequest) -> str:
    """The login of who sent a request, as the audit columns keep it."""
    return actor_name(request.user)


def actor_name(user: Any) -> str:
    """Somebody's login, as the audit columns keep it."""
    return str(user.get_username()[:ACTOR_LENGTH])


def reason_of(request: HttpRequest) -> str:
    """The reason that came with a request; none where its form will not take it."""
    reason = request.POST.get("reason", "").strip()
    return "" if len(reason) > REASON_LENGTH or "\x00" in reason else reason


def lead_to(request: HttpRequest, page: str) -> HttpResponse:
    """Where a person goes on after a dialog: htmx, which posts dialogs, wants it in a header."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": page})
    return HttpResponseRedirect(page)


class Audited:
    """For a ModelAdmin: writes as the person who sent the request, for the reason they gave.

    Each write is one transaction; what the database or a service refuses is a message, and a
    form keeps its input. The form classes derive from Reasoned.
    """

    model: Any
    object_history_template: Any = "kitehub/backoffice/object_history.html"
    change_form_template: Any = "kitehub/backoffice/change_form.html"
    formfield_overrides: ClassVar[Any] = {
        DateTimeField: {"form_class": MomentField},
        JSONField: {"form_class": StorableJSONField},
    }
    # Constraint or trigger -> why the database refuses, where no form says so before.
    refusals: ClassVar[dict[str, Any]] = {}

    @contextmanager
    def writing(self, request: HttpRequest, reason: str | None = None) -> Iterator[None]:
        """A transaction in which everything written carries who sent the request, and why.

        Raises Refusal where somebody else was writing the same.
        """
        using = router.db_for_write(self.model)
        why = reason_of(request) if reason is None else reason
        with (
            refusing_contention(),
            transaction.atomic(using=using),
            acting(actor_of(request), why, using=using),
        ):
            request.is_writing = True  # type: ignore[attr-defined]
            try:
                yield
            finally:
                request.is_writing = False  # type: ignore[attr-defined]

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """The row, and in a request that writes nobody else's until the transaction ends."""
        request.locks_rows = getattr(request, "is_writing", False)  # type: ignore[attr-defined]
        try:
            return super().get_object(request, object_id, from_field or None)  # type: ignore[misc]
        finally:
            request.locks_rows = False  # type: ignore[attr-defined]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows; locked where `get_object` asks for the one that it is about to write."""
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        locks = getattr(request, "locks_rows", False)
        # Rows joined to it may be missing, and PostgreSQL locks no missing row.
        return rows.select_for_update(of=("self",)) if locks else rows

    # --- The views ----------------------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Adds or changes a row. A refusal shows the form again, with its input."""
        view: Callable[[], Any] = partial(
            super().changeform_view,  # type: ignore[misc]
            request,
            object_id,
            form_url,
            extra_context,
        )
        if request.method != "POST":
            return view()
        try:
            with self.writing(request):
                return view()
        except REFUSED as error:
            # All undone. The form hears of it, and so does not try again.
            request.refusal = self.refusal_of(error)  # type: ignore[attr-defined]
            with self.writing(request):
                return view()

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Asks before it deletes. A refusal leads back to the row."""
        form = Reasoned(request.POST or None)
        context = {"reason_form": form, **(extra_context or {})}
        view: Callable[[], Any] = partial(
            super().delete_view,  # type: ignore[misc]
            request,
            object_id,
            context,
        )
        if request.method != "POST":
            return view()
        may: Any = self
        if not may.has_delete_permission(request):
            raise PermissionDenied
        try:
            if not form.is_valid():
                raise Refusal(_first_error(form))
            with self.writing(request):
                return view()
        except REFUSED as error:
            return self._refuse(request, error, self._page("change", unquote(object_id)))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Lists rows and runs actions on them; an action that is refused changes no row."""
        view: Callable[[], Any] = partial(
            super().changelist_view,  # type: ignore[misc]
            request,
            extra_context,
        )
        if request.method != "POST":
            return view()
        action = getattr(type(self), request.POST.get("action", ""), None)
        try:
            # Such an action has a transaction for each row.
            if getattr(action, "each_alone", False):
                return view()
            with self.writing(request):
                return view()
        # A ValidationError is what Django makes of a selected row whose key is no key.
        except (*REFUSED, ValidationError) as error:
            return self._refuse(request, error, request.get_full_path())

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Who changed the row through the admin, when, what and why."""
        its: Any = self
        # Django looks for the row first, and tells strangers whether it is there.
        if not its.has_view_or_change_permission(request):
            raise PermissionDenied
        answer = super().history_view(request, object_id, extra_context)  # type: ignore[misc]
        context = getattr(answer, "context_data", None)
        if context and "action_list" in context:
            spelling = getattr(self, "spelling", {})
            page = context["action_list"]
            page.object_list = history.read_log(page.object_list, self.model, spelling)
        return answer

    def get_unfold_action(self, action: str) -> Any:
        """An action of a page, which unfold would call directly, writes like all others."""
        found = super().get_unfold_action(action)  # type: ignore[misc]
        found.method = self._written(found.method)
        if found.dialog:
            found.method = self._on_its_page(found.method)
        return found

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Asks to correct fields only where a field has an error."""
        # An entry for each field and inline row in error, one for the form as a whole.
        general = NON_FIELD_ERRORS in context["adminform"].form.errors
        if len(context["errors"]) == int(general):
            context["errors"] = []
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Rows are chosen by a widget that takes any input."""
        its: Any = self
        if db_field.name in its.get_autocomplete_fields(request):
            kwargs.setdefault(
                "widget", CarefulSelect(db_field, its.admin_site, using=kwargs.get("using"))
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    # --- The log ------------------------------------------------------------------------------

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form, told what stopped the last attempt if this is the second."""
        form = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]
        return type(form.__name__, (form,), {"refusal": getattr(request, "refusal", "")})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may change the page is asked why."""
        fieldsets = list(super().get_fieldsets(request, obj))  # type: ignore[misc]
        if self._may_save(request, obj):
            fieldsets.append(REASON_FIELDSET)
        return fieldsets

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        """What changed, as Django keeps it, and why."""
        message = super().construct_change_message(request, form, formsets, add)  # type: ignore[misc]
        return [*message, *history.reason_part(reason_of(request))]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """An entry for each row, with the reason."""
        return self.log(request, queryset, DELETION, [])

    def log(
        self, request: HttpRequest, rows: Sequence[Model], flag: int, message: list[dict[str, Any]]
    ) -> Any:
        """An entry for each row, of one of Django's kinds, with the reason of the request."""
        return LogEntry.objects.log_actions(
            user_id=cast("UUID", request.user.pk),
            queryset=rows,
            action_flag=flag,
            change_message=[*message, *history.reason_part(reason_of(request))],
        )

    # --- Refusals -----------------------------------------------------------------------------

    def refusal_of(self, error: Exception) -> str:
        """Why nothing was written, for the person who tried."""
        return refusal_of(error, self.refusals)

    def _refuse(self, request: HttpRequest, error: Exception, address: str) -> HttpResponse:
        messages.error(request, self.refusal_of(error))
        return lead_to(request, address)

    def _on_its_page(self, method: Any) -> Any:
        """A dialog is a part of a page: who opens it alone, in a new tab, gets its row's page."""

        @wraps(method)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            answer = method(request, *args, **kwargs)
            if request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "document":
                key = kwargs.get("object_id")
                page = self._page("change", key) if key else self._page("changelist")
                return HttpResponseRedirect(page)
            return answer

        return run

    def _written(self, method: Any) -> Any:
        @wraps(method)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method != "POST" or getattr(request, "is_writing", False):
                return method(request, *args, **kwargs)
            try:
                with self.writing(request):
                    return method(request, *args, **kwargs)
            except REFUSED as error:
                key = kwargs.get("object_id")
                address = self._page("change", key) if key else self._page("changelist")
                return self._refuse(request, error, address)

        return run

    def _page(self, name: str, *args: Any) -> str:
        options = self.model._meta
        return reverse(f"admin:{options.app_label}_{options.model_name}_{name}", args=args)

    def _may_save(self, request: HttpRequest, obj: Any) -> bool:
        may: Any = self
        if obj is None:
            return bool(may.has_add_permission(request))
        return bool(may.has_change_permission(request, obj))


def _changed_meanwhile(error: StaleRow) -> str:
    rows = type(error.row)._base_manager.filter(pk=error.row.pk)
    who = rows.values_list("updated_by", flat=True).first()
    return gettext(
        "Nothing was saved: %(who)s changed “%(row)s” in the meantime. Look at it again first."
    ) % {"who": who or "–", "row": error.row}


def _constraint_of(error: IntegrityError, constraints: Mapping[str, Any]) -> str:
    diagnosis = getattr(error.__cause__, "diag", None)
    name = getattr(diagnosis, "constraint_name", None) or ""
    if name in constraints:
        return str(constraints[name])
    return gettext("Nothing was saved: the database refuses this change (%(rule)s).") % {
        "rule": name or type(error.__cause__).__name__
    }


def _closed(error: WritesRefused) -> str:
    if error.reason == GateReason.SUSPENDED:
        return gettext("Nothing was saved: the instance is suspended. Resume it first.")
    if error.reason == GateReason.MOVING:
        return gettext("Nothing was saved: the instance is being moved. Try again in a moment.")
    return gettext("Nothing was saved: the instance has moved to another database.")


def _first_error(form: Reasoned) -> str:
    return "; ".join(str(text) for errors in form.errors.values() for text in errors)
