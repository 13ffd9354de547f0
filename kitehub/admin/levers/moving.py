"""Moving a school to another database: begun, gone on with, given up, cleaned up after."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib.admin.models import CHANGE
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from kitehub import tenancy
from kitehub.admin.levers.asking import DangerousDialog, SchoolDialog, may, refusals, school_of
from kitehub.admin.places import places_to_live
from kitehub.admin.watches import storage_of
from kitehub.backoffice.audit import actor_of, lead_to, reason_of
from kitehub.backoffice.dialogs import Line, without_actions
from kitehub.enums import MoveStep
from kitehub.models import Instance, InstanceMove, InstanceWatch
from kitehub.models.moves import ENDED
from kitehub.moving.run import open_move
from kitehub.workflows import (
    LeverRefused,
    left_by_moves,
    lives_at,
    request_abort,
    request_move,
    request_purge,
    request_rest_of_move,
    work_on,
)

MOVE, GO_ON, ABORT, PURGE = "move", "go-on", "abort-move", "purge-moves"
WORK_PAGE = "work"


class MoveDialog(DangerousDialog):
    """Asks where to."""

    to = forms.ChoiceField(label=gettext_lazy("Where to"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["to"]
        field.choices = [place for place in places_to_live() if not self._is_there(place[0])]

    def preview(self) -> Sequence[Line]:
        """Where it lives, how much there is to move, and what its people notice."""
        return [
            *where_it_lives(self.row),
            Line(
                gettext("What its people notice"),
                gettext("its writes are refused for a moment at the end, at most a minute"),
            ),
            Line(gettext("What stays"), gettext("the rows at the old place, until removed there")),
        ]

    def _is_there(self, to: str) -> bool:
        try:
            return self.row is not None and lives_at(self.row, to)
        except LeverRefused:
            return False  # said to who chooses it


class OpenMoveDialog(SchoolDialog):
    """Asks why, beside how far the move has come."""

    def preview(self) -> Sequence[Line]:
        """From where to where, and the last step that is done."""
        return open_move_lines(self.row)


class PurgeDialog(DangerousDialog):
    """Asks for the subdomain: rows go for good, though the school has them elsewhere."""

    def preview(self) -> Sequence[Line]:
        """The old places."""
        return [
            Line(gettext("Old place"), place_words(move.source_url), warns=True)
            for move in left_by_moves(self.row.pk)
        ]


class MovesSchools:
    """For the admin of instances: the levers of moves."""

    def has_move_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may move instances."""
        return may(request, "move")

    @action(
        description=gettext_lazy("Move"),
        icon="move_down",
        permissions=["move"],
        url_path=MOVE,
        dialog={
            "title": gettext_lazy("Move this school to another database?"),
            "description": gettext_lazy(
                "A background job copies its rows and compares them, then switches over."
            ),
            "form_class": MoveDialog,
            "form_submit_text": gettext_lazy("Move"),
        },
    )
    def move(self, request: HttpRequest, form: MoveDialog, object_id: str) -> HttpResponse:
        """Puts a move into the queue."""
        to = form.cleaned_data["to"]
        return self._request(request, object_id, request_move, gettext("It is being moved."), to=to)

    @action(
        description=gettext_lazy("Go on with the move"),
        icon="resume",
        permissions=["move"],
        url_path=GO_ON,
        dialog={
            "title": gettext_lazy("Go on with this move?"),
            "description": gettext_lazy("It goes on with the step that isn't done."),
            "form_class": OpenMoveDialog,
            "form_submit_text": gettext_lazy("Go on with the move"),
        },
    )
    def go_on_with_move(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Puts the rest of a move into the queue."""
        said = gettext("The move goes on.")
        return self._request(request, object_id, request_rest_of_move, said)

    @action(
        description=gettext_lazy("Abort the move"),
        icon="cancel",
        permissions=["move"],
        url_path=ABORT,
        dialog={
            "title": gettext_lazy("Abort this move?"),
            "description": gettext_lazy(
                "The school stays where it is, and what was copied to the target is removed."
            ),
            "form_class": OpenMoveDialog,
            "form_submit_text": gettext_lazy("Abort the move"),
        },
    )
    def abort_move(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Puts the end of a move into the queue."""
        said = gettext("The move is being given up.")
        return self._request(request, object_id, request_abort, said)

    @action(
        description=gettext_lazy("Remove what moves left"),
        icon="delete_sweep",
        permissions=["move"],
        url_path=PURGE,
        dialog={
            "title": gettext_lazy("Remove what finished moves left?"),
            "description": gettext_lazy(
                "The school's rows at its old places go for good; a database of its own is dropped."
            ),
            "form_class": PurgeDialog,
            "form_submit_text": gettext_lazy("Remove what moves left"),
        },
    )
    def purge_moves(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Puts the removal into the queue."""
        said = gettext("What is left at the old places is being removed.")
        return self._request(request, object_id, request_purge, said)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers what can be done to the school's move as it is, and to look at work there was."""
        row = context.get("original")
        steps = set(
            InstanceMove.objects.filter(instance=row).values_list("step", flat=True) if row else ()
        )
        if row is None or row.deleted:
            without_actions(context, MOVE, GO_ON, ABORT, PURGE)
        elif steps - set(ENDED):
            without_actions(context, MOVE, PURGE)
        else:
            without_actions(context, GO_ON, ABORT)
            if MoveStep.DONE not in steps:
                without_actions(context, PURGE)
        if row is None or not (steps or work_on(row.pk).exists()):
            without_actions(context, WORK_PAGE)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def _request(
        self,
        request: HttpRequest,
        object_id: str,
        ask: Callable[..., int],
        said: str,
        field: str = "database_url",
        **options: Any,
    ) -> HttpResponse:
        """Asks for long work, keeps that in the log, and leads to where it is shown."""
        its: Any = self
        school = school_of(object_id)
        with refusals():
            ask(
                instance_id=school.pk,
                actor=actor_of(request),
                reason=reason_of(request),
                **options,
            )
        its.log(request, [school], CHANGE, [{"changed": {"fields": [field]}}])
        its.message_user(request, said)
        return lead_to(request, its._page("work", school.pk))


def where_it_lives(school: Instance) -> list[Line]:
    """The place, and how much is stored, as it was last seen."""
    watch = InstanceWatch.objects.filter(instance=school).first()
    lines = [Line(gettext("Lives now"), place_words(school.database_url))]
    if watch is not None:
        lines.append(Line(gettext("Storage"), storage_of(watch)))
        if not watch.reachable:
            lines.append(Line(gettext("Its database"), gettext("can't be reached"), warns=True))
    return lines


def open_move_lines(school: Instance) -> list[Line]:
    """What is known of a school's open move."""
    found = open_move(school.pk)
    if found is None:
        return []
    return [
        Line(gettext("From"), place_words(found.source_url)),
        Line(gettext("To"), place_words(found.target_url)),
        Line(gettext("Last step that is done"), str(found.get_step_display())),
    ]


def place_words(url: str) -> str:
    """An address for people; never with a password."""
    if url == tenancy.pool_url():
        return gettext("the pool")
    head, at, rest = url.rpartition("@")
    return f"{head.partition('://')[0]}://{rest}" if at else url
