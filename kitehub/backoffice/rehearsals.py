"""What an action would do, found out by doing it and taking it back.

A preview that is worked out beside the service says in time something else than the service does.
This one is the service: it runs, what came of it is read, and all of it is undone.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin
from django.utils.translation import gettext

from kitehub.backoffice.audit import REFUSED, Refusal, actor_of, refusal_of, refusing_contention
from kitehub.backoffice.dialogs import Line, WhyDialog
from kitehub.backoffice.forms import Aside
from kitehub.db.rehearsals import rehearsal


class Rehearsed(NamedTuple):
    """What would come of an action, and whether anything would."""

    lines: Sequence[Line]
    possible: bool


def rehearse(
    work: Callable[[], Sequence[Line]], explain: Callable[[Exception], str] = refusal_of
) -> Rehearsed:
    """What work would do, as it says after it has done it; or why it can't be done.

    `explain` says why: a ModelAdmin's `refusal_of` knows its constraints as well.
    """
    try:
        with refusing_contention(), rehearsal():
            return Rehearsed(work(), possible=True)
    except REFUSED as error:
        why = explain(error)
    return Rehearsed([Line(gettext("Not possible:"), why, warns=True)], possible=False)


def foresee(
    work: Callable[[], Sequence[Line]], explain: Callable[[Exception], str] = refusal_of
) -> str:
    """As `rehearse`, in a line, for a bulk action. Raises Refusal for what can't be done."""
    found = rehearse(work, explain)
    if not found.possible:
        raise Refusal(found.lines[0].value)
    return "; ".join(f"{line.label}: {line.value}" for line in found.lines)


def digest_of(*said: object) -> str:
    """What is short and is other where anything of what was said is other."""
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


class RehearsedDialog(WhyDialog):
    """A dialog that shows what will come of its row by trying it.

    It acts on what was seen alone: where another row or another moment makes the outcome another
    one, that is shown first.
    """

    def attempt(self, actor: str) -> Sequence[Line]:
        """Does it, and says what has come of it. Raises Refusal."""
        raise NotImplementedError

    def preview(self) -> Sequence[Line]:
        """What comes of it, where nothing has to be entered first."""
        return self._foreseen.lines

    @cached_property
    def _foreseen(self) -> Rehearsed:
        return self._rehearsed()

    def _seen(self) -> str:
        if self.row is None:
            return self._version
        return f"{self._version} {digest_of(_words(self._foreseen.lines))}"

    def _rehearsed(self) -> Rehearsed:
        explain: Callable[[Exception], str] = refusal_of
        if self.model is not None and admin.site.is_registered(self.model):
            page: Any = admin.site.get_model_admin(self.model)
            explain = getattr(page, "refusal_of", explain)
        return rehearse(lambda: self.attempt(actor_of(self.request)), explain)


class PlannedDialog(RehearsedDialog):
    """A dialog with something to enter: sent once it shows what that will do, sent again it acts.

    It acts on what was seen alone: another input, or another outcome by now, is shown first.
    """

    plan = Aside(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.planned: Sequence[Line] = ()

    def is_valid(self) -> bool:
        """Whether all is entered, possible, and has been looked at."""
        if not super().is_valid() or (self.model is not None and self.row is None):
            return super().is_valid()
        found = self._rehearsed()
        told = self._digest(found.lines)
        if found.possible and self.cleaned_data["plan"] == told:
            return True
        self.fields["plan"].bound_data = lambda data, initial: told  # type: ignore[method-assign]
        self.planned = found.lines
        if found.possible:
            note = Line(gettext("Nothing is done yet."), gettext("Look at it, then send again."))
            self.planned = [note, *found.lines]
        return False

    def preview(self) -> Sequence[Line]:
        """Nothing before something is entered."""
        return self.planned

    def _seen(self) -> str:
        return self._version  # `plan` has the outcome

    def _digest(self, lines: Sequence[Line]) -> str:
        aside = {name for name, field in self.fields.items() if isinstance(field, Aside)}
        entered = [(name, str(self.data.get(name))) for name in self.fields if name not in aside]
        return digest_of(entered, _words(lines))


def _words(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    return [tuple(map(str, line)) for line in lines]
