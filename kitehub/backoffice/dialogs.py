"""What actions ask before they act: why, the row's code again, and what will come of it."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from kitehub.backoffice.forms import Aside, Reasoned
from kitehub.backoffice.search import parse_uuid
from kitehub.db.acting import REASON_LENGTH


class Line(NamedTuple):
    """A line of a preview: what it is of, what it will be, and whether that is a warning."""

    label: str
    value: str
    warns: bool = False


class WhyDialog(Reasoned, BaseDialogForm):
    """Asks why, and takes no silence for an answer.

    A dialog of a `model` knows its row. It shows the lines of `preview`, and what is sent after
    the row has changed is shown again, with what is there now, rather than done.
    """

    model: ClassVar[type[Model] | None] = None
    form_before_template = "kitehub/backoffice/preview.html"

    seen = Aside(required=False, widget=forms.HiddenInput)
    reason = Aside(
        label=gettext_lazy("Reason"),
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Kept in the history, for those who ask later."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Asked for where it is shown: a dialog that tries its action out does so no sooner.
        self.fields["seen"].initial = self._seen
        last = [name for name in ("retyped", "reason") if name in self.fields]
        self.order_fields([*(name for name in self.fields if name not in last), *last])

    @cached_property
    def row(self) -> Any:
        """The row that the action is for; None where it is gone, or the dialog has no model."""
        key = parse_uuid(str(self.object_id))
        if self.model is None or key is None:
            return None
        return self.model._base_manager.filter(pk=key).first()

    def preview(self) -> Sequence[Line]:
        """What the action will do, line by line."""
        return ()

    def get_before_template_context(
        self, request: HttpRequest, object_id: int | str | None = None
    ) -> dict[str, Any]:
        """The preview, and what is wrong with the form as a whole."""
        lines = () if self.model is not None and self.row is None else self.preview()
        return {"preview": lines, "errors": self.non_field_errors() if self.is_bound else ()}

    def clean(self) -> dict[str, Any]:
        """Refuses what was sent for a row that is another by now."""
        cleaned = super().clean()
        if (seen := cleaned.get("seen")) and seen != self._seen():
            self.fields["seen"].bound_data = lambda data, initial: initial  # type: ignore[method-assign]
            self.add_error(
                None,
                gettext(
                    "The row, or what would come of it, has changed meanwhile. Look at it again, "
                    "then send once more."
                ),
            )
        return cleaned

    @property
    def _version(self) -> str:
        return str(getattr(self.row, "version", ""))

    def _seen(self) -> str:
        """What a dialog that is sent has to have shown."""
        return self._version


class RetypedDialog(WhyDialog):
    """Asks to type the row's code again as well: for what moves money or can't be undone."""

    retyped = Aside(
        max_length=200, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = gettext("Type “%(code)s” to confirm")
        self.fields["retyped"].label = said % {"code": self.code_of_row()}

    def code_of_row(self) -> str:
        """What has to be typed; the row's name unless a dialog says otherwise."""
        return str(self.row or "")

    def clean_retyped(self) -> str:
        """What was typed, where it is the code, in letters of any case."""
        typed: str = self.cleaned_data["retyped"].strip()
        if typed.casefold() != self.code_of_row().casefold():
            raise ValidationError(gettext("That is not what is to be typed here."))
        return typed


def without_actions(context: dict[str, Any], *addresses: str) -> None:
    """Takes actions off a page, by the last part of their addresses: unfold keeps no names.

    Also out of its menus; one that is left with nothing goes, too.
    """

    def kept(offered: Any) -> bool:
        last = str(offered.get("path", "")).rstrip("/").rpartition("/")[2]
        return last not in addresses

    left = []
    for offered in context.get("actions_detail", []):
        if "items" not in offered:
            left += [offered] if kept(offered) else []
        elif items := [item for item in offered["items"] if kept(item)]:
            left.append({**offered, "items": items})
    context["actions_detail"] = left
