"""What levers on a school ask, and how their services' refusals are said."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from kitehub.backoffice.audit import Refusal, existing
from kitehub.backoffice.dialogs import RetypedDialog, WhyDialog
from kitehub.backoffice.search import parse_uuid
from kitehub.models import Instance
from kitehub.workflows import LeverRefusal, LeverRefused

REFUSALS = {
    LeverRefusal.BUSY: gettext_lazy("Other work on this school isn't done yet. Wait for it."),
    LeverRefusal.GONE: gettext_lazy("This row is deleted. Restore it before changing it."),
    LeverRefusal.NO_SUCH_PLACE: gettext_lazy("Nothing was begun: there is no such place."),
    LeverRefusal.BAD_ADDRESS: gettext_lazy(
        "Nothing was begun: the address of the school's database is none. Mend it first."
    ),
    LeverRefusal.THERE_ALREADY: gettext_lazy("Nothing was begun: the school lives there already."),
    LeverRefusal.MOVE_OPEN: gettext_lazy(
        "A move of this school isn't finished. Go on with it, or abort it, first."
    ),
    LeverRefusal.NO_MOVE: gettext_lazy("No move of this school is open."),
    LeverRefusal.SWITCHED: gettext_lazy(
        "The school lives at the target already: go on with the move instead."
    ),
    LeverRefusal.NOTHING_LEFT: gettext_lazy("Finished moves of this school have left nothing."),
    LeverRefusal.CLOSED: gettext_lazy("The school is closed or deleted already."),
    LeverRefusal.NOT_CLOSED: gettext_lazy("The school isn't closed, or its data is gone."),
    LeverRefusal.NO_FOLDER: gettext_lazy(
        "Archives have no place to go to yet, so no school can be closed. Ask your engineers to "
        "set KITEHUB_ARCHIVES."
    ),
}


class SchoolDialog(WhyDialog):
    """Asks why something is done to a school."""

    model: ClassVar[type[Model] | None] = Instance


class DangerousDialog(RetypedDialog):
    """Asks why, and for the school's subdomain typed again."""

    model: ClassVar[type[Model] | None] = Instance

    def code_of_row(self) -> str:
        """The subdomain, of which there is only one."""
        return self.row.subdomain if self.row else ""


@contextmanager
def refusals() -> Iterator[None]:
    """Tells what a request for long work is refused for."""
    try:
        yield
    except LeverRefused as error:
        raise Refusal(str(REFUSALS[error.refusal])) from error


def school_of(object_id: str) -> Instance:
    """The school of a page's address, deleted ones too; not locked. Raises Refusal."""
    key = parse_uuid(object_id)
    return existing(Instance.all_objects.filter(pk=key).first() if key else None)


def may(request: HttpRequest, name: str) -> bool:
    """Whether somebody has one of the levers' own permissions on instances."""
    user: Any = request.user
    return bool(user.has_perm(f"kitehub.{name}_instance"))
