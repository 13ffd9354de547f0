"""Actions on several rows of a list: what will come of each, why, and what has come of each."""

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from unfold.widgets import UnfoldAdminTextInputWidget

from kitehub.backoffice import runs
from kitehub.backoffice.audit import REFUSED, Refusal
from kitehub.backoffice.forms import Aside, Reasoned
from kitehub.backoffice.runs import Outcome, Run

logger = logging.getLogger(__name__)
# Each has a preview, and a transaction of its own.
MOST_EACH = 100
# What tells that a row isn't any more as it was shown, of whichever it has.
_TELLING = ("version", "status", "state", "unmatched")
_ASKED = "run"


class WhyForm(Reasoned):
    """Asks why, and takes no silence for an answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True


class CountAgain(Aside):
    """Asks to type a number of rows again."""

    def __init__(self, count: int) -> None:
        said = gettext("Type “%(count)s”, the number of rows that it is done to, to confirm")
        super().__init__(
            label=said % {"count": count},
            max_length=20,
            widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        )
        self.count = count

    def clean(self, value: Any) -> str:
        """What was typed, where it is that number."""
        typed: str = super().clean(value)
        if typed != str(self.count):
            raise ValidationError(gettext("That is not what is to be typed here."))
        return typed


@dataclass(frozen=True, slots=True)
class Bulk:
    """An action on each of the rows that somebody chose, one after the other.

    `preview` says what will come of a row and `act` does it and says what has come of it. Both
    raise Refusal for a row that it can't be done to, which stops no other row. A row is only acted
    on if `preview` has just said of it, in the same request, what was shown. Where it
    `moves_money`, or gives away what is sold, the number of rows is typed again.

    A preview knows nothing of the rows before its own. Where that would make it wrong, `of` names
    what a row acts on: of several rows with the same, only the first that can be done is.
    """

    name: str
    title: Any
    meaning: Any
    preview: Callable[[Any], str]
    act: Callable[[Any], str]
    form_class: type[Reasoned] = WhyForm
    moves_money: bool = False
    of: Callable[[Any], Hashable] | None = None


def each_alone(action: Any) -> Any:
    """Marks an action of a list that writes each row in a transaction of its own."""
    action.each_alone = True
    return action


def run_on_each(
    admin: Any, request: HttpRequest, queryset: QuerySet[Any], bulk: Bulk
) -> HttpResponse:
    """Asks first, with what will come of each row; then acts, and leads to what has come of each.

    Acts once, however often the answer is sent, and only on what was shown: if that is another by
    now, it asks again. For an action that is marked `each_alone`, of an admin that ShowsResults.
    Raises Refusal for too many rows.
    """
    rows = list(queryset.order_by("pk")[: MOST_EACH + 1])
    if len(rows) > MOST_EACH:
        raise Refusal(gettext("At most %(most)s rows at once; choose fewer.") % {"most": MOST_EACH})
    asked = runs.read(request.POST.get(_ASKED, ""), by=_person(request))
    if asked and _found(admin, request, asked.key):
        return _to_results(admin, asked.key)
    outcomes = _foreseen(admin, rows, bulk)
    seen = runs.digest(told=[bulk.name, admin.opts.label, *map(_told, rows), *outcomes])
    form = bulk.form_class(request.POST if "confirmed" in request.POST else None)
    if bulk.moves_money:
        form.fields["retyped"] = CountAgain(sum(outcome.done for outcome in outcomes))
        form.order_fields([*(name for name in form.fields if name != "reason"), "reason"])
    note = _changed(asked, seen) if form.is_bound else ""
    if asked is None or note or not form.is_valid():
        return _ask(admin, request, bulk, outcomes, rows=rows, form=form, seen=seen, note=note)
    run = Run(
        by=_person(request),
        of=admin.opts.label,
        title=str(bulk.title),
        meaning=str(bulk.meaning),
        back=request.get_full_path(),
        rows=len(rows),
    )
    if runs.take(run, key=asked.key, at=timezone.now()):
        for row, foreseen in zip(rows, outcomes, strict=True):
            # What was shown as impossible is left alone, even if by now it could be done.
            done = _done(admin, request, row, bulk.act) if foreseen.done else foreseen
            run.outcomes.append(done)
            run.over = len(run.outcomes) == run.rows
            runs.keep(run, key=asked.key)
    return _to_results(admin, asked.key)


class ShowsResults:
    """For a ModelAdmin: the page of what has come of a bulk action, which may be loaded again."""

    opts: Any
    admin_site: Any

    def get_urls(self) -> list[Any]:
        """Also the results' address, where an action of the list writes each row alone."""
        urls: list[Any] = super().get_urls()  # type: ignore[misc]
        found = (
            getattr(type(self), str(name), None) for name in getattr(self, "actions", None) or ()
        )
        if not any(getattr(action, "each_alone", False) for action in found):
            return urls
        name = f"{self.opts.app_label}_{self.opts.model_name}_results"
        view = self.admin_site.admin_view(self.results_view)
        return [path("results/<slug:key>/", view, name=name), *urls]

    def results_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """What has come of each row; the list where nobody knows any more."""
        its: Any = self
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if not its.has_view_permission(request):
            raise PermissionDenied
        run = _found(self, request, key)
        if run is None:
            messages.info(request, gettext("These results are not kept any more."))
            return HttpResponseRedirect(its._page("changelist"))
        context = {
            "title": run.title,
            "meaning": run.meaning,
            "outcomes": run.outcomes,
            "waiting": 0 if run.over else run.rows - len(run.outcomes),
            "back": run.back,
        }
        answer = _page(self, request, context)
        answer.headers["Cache-Control"] = "private, no-store"
        return answer


# --- Rows ---------------------------------------------------------------------------------------


def _foreseen(admin: Any, rows: Sequence[Model], bulk: Bulk) -> list[Outcome]:
    outcomes: list[Outcome] = []
    taken: set[Hashable] = set()
    for row in rows:
        its = bulk.of(row) if bulk.of else row.pk
        outcome = _ended(admin, row, partial(bulk.preview, row))
        if outcome.done and its in taken:
            said = gettext("An earlier row changes what comes of this one. Do it after that one.")
            outcome = Outcome(str(row), False, said)
        elif outcome.done:
            taken.add(its)
        outcomes.append(outcome)
    return outcomes


def _done(admin: Any, request: HttpRequest, row: Model, act: Callable[[Any], str]) -> Outcome:
    def work() -> str:
        with admin.writing(request):
            now = type(row)._base_manager.filter(pk=row.pk).first()
            if now is None or _told(now) != _told(row):
                raise Refusal(gettext("It has changed meanwhile."))
            return act(row)

    return _ended(admin, row, work)


def _ended(admin: Any, row: Model, work: Callable[[], str]) -> Outcome:
    """How work on a row has ended. Whatever it was, the other rows and their results stay."""
    try:
        return Outcome(str(row), True, work())
    except REFUSED as error:
        return Outcome(str(row), False, admin.refusal_of(error))
    except Exception:
        logger.exception("A bulk action failed on %s %s.", row._meta.label, row.pk)
        return Outcome(
            str(row), False, gettext("An error: nothing was changed here. It is in the log.")
        )


def _told(row: Model) -> tuple[str, ...]:
    """What tells a row from what it is after a change."""
    return (str(row.pk), *(str(getattr(row, name, "")) for name in _TELLING))


# --- Pages --------------------------------------------------------------------------------------


def _changed(asked: runs.Asked | None, seen: str) -> str:
    """Why what was sent is not done but shown; nothing where it was seen as it is."""
    if asked is None:
        return gettext("Nothing is done yet. Look at what will be done, then send it.")
    if asked.digest == seen:
        return ""
    return gettext("Nothing was done: the rows have changed meanwhile. Look at them again.")


def _ask(
    admin: Any,
    request: HttpRequest,
    bulk: Bulk,
    outcomes: Sequence[Outcome],
    *,
    rows: Sequence[Any],
    form: Reasoned,
    seen: str,
    note: str,
) -> TemplateResponse:
    context = {
        "title": bulk.title,
        "meaning": bulk.meaning,
        "outcomes": outcomes,
        "rows": rows,
        "action": bulk.name,
        "form": form,
        "note": note,
        "asked": _ASKED,
        "run": runs.sign(digest=seen, by=_person(request)),
        "checkbox": ACTION_CHECKBOX_NAME,
        "back": request.get_full_path(),
    }
    return _page(admin, request, context)


def _page(admin: Any, request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    shown = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "media": admin.media,
        "able": sum(outcome.done for outcome in context["outcomes"]),
        **context,
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "kitehub/backoffice/bulk.html", shown)


def _to_results(admin: Any, key: str) -> HttpResponse:
    return HttpResponseRedirect(admin._page("results", key))


def _found(admin: Any, request: HttpRequest, key: str) -> Run | None:
    return runs.find(key=key, by=_person(request), of=admin.opts.label)


def _person(request: HttpRequest) -> str:
    return str(request.user.pk)
