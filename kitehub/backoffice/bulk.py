"""Actions on several rows of a list: what will come of each, why, and what has come of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from kitehub.backoffice.audit import REFUSED, Refusal
from kitehub.backoffice.forms import Reasoned

# Each has a preview, and a transaction of its own.
MOST_EACH = 100


class WhyForm(Reasoned):
    """Asks why, and takes no silence for an answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True


class Outcome(NamedTuple):
    """What will come of a row, or has: whether it is done, and in words what, or why not."""

    row: str
    done: bool
    said: str


@dataclass(frozen=True, slots=True)
class Bulk:
    """An action on each of the rows that somebody chose, one after the other.

    `preview` says what will come of a row and `act` does it and says what has come of it. Both
    raise Refusal for a row that it can't be done to, which stops no other row.
    """

    name: str
    title: Any
    meaning: Any
    preview: Callable[[Any], str]
    act: Callable[[Any], str]
    form_class: type[Reasoned] = WhyForm


def each_alone(action: Any) -> Any:
    """Marks an action of a list that writes each row in a transaction of its own."""
    action.each_alone = True
    return action


def run_on_each(
    admin: Any, request: HttpRequest, queryset: QuerySet[Any], bulk: Bulk
) -> TemplateResponse:
    """Asks first, with what will come of each row; then acts, and shows what has come of each.

    For an action that is marked `each_alone`. Raises Refusal for too many rows.
    """
    rows = list(queryset.order_by("pk")[: MOST_EACH + 1])
    if len(rows) > MOST_EACH:
        raise Refusal(gettext("At most %(most)s rows at once; choose fewer.") % {"most": MOST_EACH})
    form = bulk.form_class(request.POST if "confirmed" in request.POST else None)
    if not form.is_valid():
        outcomes = [_outcome(admin, row, bulk.preview) for row in rows]
        return _page(admin, request, bulk, outcomes, rows=rows, form=form)
    outcomes = [_done(admin, request, row, bulk.act) for row in rows]
    return _page(admin, request, bulk, outcomes)


def _done(admin: Any, request: HttpRequest, row: Model, act: Callable[[Any], str]) -> Outcome:
    try:
        with admin.writing(request):
            return Outcome(str(row), True, act(row))
    except REFUSED as error:
        return Outcome(str(row), False, admin.refusal_of(error))


def _outcome(admin: Any, row: Model, preview: Callable[[Any], str]) -> Outcome:
    try:
        return Outcome(str(row), True, preview(row))
    except REFUSED as error:
        return Outcome(str(row), False, admin.refusal_of(error))


def _page(
    admin: Any,
    request: HttpRequest,
    bulk: Bulk,
    outcomes: Sequence[Outcome],
    *,
    rows: Sequence[Any] = (),
    form: Reasoned | None = None,
) -> TemplateResponse:
    context = {
        **admin.admin_site.each_context(request),
        "title": bulk.title,
        "opts": admin.opts,
        "media": admin.media,
        "meaning": bulk.meaning,
        "outcomes": outcomes,
        "able": sum(outcome.done for outcome in outcomes),
        "rows": rows,
        "action": bulk.name,
        "form": form,
        "checkbox": ACTION_CHECKBOX_NAME,
        "back": request.get_full_path(),
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "kitehub/backoffice/bulk.html", context)
