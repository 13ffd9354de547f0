"""Forms of the admin: each asks why, and that of a record notices what happened meanwhile."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import formats, timezone
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from kitehub.backoffice import stale
from kitehub.backoffice.amounts import parse_amount
from kitehub.backoffice.differences import Spelling, differences, in_words
from kitehub.backoffice.stale import Conflict, Meanwhile, NoSnapshot, Snapshot
from kitehub.db.acting import REASON_LENGTH
from kitehub.db.base import Record
from kitehub.db.lifecycle import Lifecycle


class Aside(forms.CharField):
    """Something said about a change that is no change itself."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Never."""
        return False


class AmountField(forms.IntegerField):
    """Some đồng, however people write them: `299000`, `299.000 ₫`, `299k`, `1tr5`.

    Django's own field takes 299.000 for 299, since it drops decimals that are zero.
    """

    default_error_messages: ClassVar[Any] = {
        "invalid": gettext_lazy("Enter an amount in đồng, such as 299.000."),
    }

    def __init__(self, **kwargs: Any) -> None:
        # Not of type "number": browsers read a dot in their own ways, too.
        said = {"inputmode": "numeric", "autocomplete": "off"}
        kwargs.setdefault("widget", UnfoldAdminTextInputWidget(attrs=said))
        kwargs.setdefault("label", gettext_lazy("amount"))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> int | None:
        """The đồng; raises ValidationError for what is no amount."""
        if value in self.empty_values or isinstance(value, int):
            return None if value in self.empty_values else value
        amount = parse_amount(str(value))
        if amount is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return amount


class Reasoned(forms.Form):
    """A form that asks for the reason, which goes into the histories.

    `refusal` is what stopped the last attempt to write what this form holds.
    """

    refusal: ClassVar[str] = ""

    reason = Aside(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Kept in the history, for those who ask later."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if isinstance(self, BaseDialogForm):
            # The page under a dialog has fields of the same names, and labels go by the id.
            kwargs.setdefault("auto_id", "dialog_%s")
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        """Nothing goes through that was refused."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.refusal:
            self.add_error(None, self.refusal)
        return cleaned


class ReasonedModelForm(Reasoned, forms.ModelForm):  # type: ignore[type-arg]
    """A model's form that asks for the reason."""


class RecordForm(ReasonedModelForm):
    """The form of a record.

    It saves nothing over a change that its reader has not seen, nor into a deleted row, and offers
    only states that may follow. Its admin sets the class attributes.
    """

    shown: ClassVar[Sequence[str]] = ()
    spelling: ClassVar[Spelling] = {}
    lifecycle: ClassVar[Lifecycle | None] = None

    snapshot = Aside(required=False, widget=forms.HiddenInput)

    instance: Record

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.meanwhile: Meanwhile | None = None
        # Before anything of the form goes into the row.
        self.before: Snapshot | None = None
        self._keep_deleted_choice()
        if self.instance._state.adding:
            del self.fields["snapshot"]
            return
        self.before = stale.snapshot_of(self.instance, [*self.shown, "deleted"])
        self.fields["snapshot"].initial = stale.sign(self.instance, self.before)
        self._offer_what_may_follow()

    @property
    def in_the_way(self) -> list[Record]:
        """Deleted rows that have what this form wants for its own."""
        found = [error for errors in self.errors.as_data().values() for error in errors]
        taken = [error for error in found if error.code == "unique_deleted"]
        return [error.params["row"] for error in taken if error.params]

    def clean(self) -> dict[str, Any]:
        """Adds an error for each reason not to write."""
        cleaned = super().clean()
        if self.before is not None:
            self._keep_what_was_not_touched(cleaned)
            self._notice_what_happened(self.before)
            self._check_status(cleaned)
        return cleaned

    # --- Stale saves ------------------------------------------------------------------------

    def _notice_what_happened(self, now: Snapshot) -> None:
        text = self.data.get(self.add_prefix("snapshot"), "")
        try:
            then = stale.read(text, row=self.instance)
        except NoSnapshot:
            self._show_current("snapshot")
            self.add_error(
                None,
                gettext(
                    "This page cannot tell any more what it showed when you opened it, so nothing "
                    "was saved. Compare the values with your own, then save again."
                ),
            )
            return
        if then.version != now.version:
            self._show_current("snapshot")
            self.meanwhile = self._meanwhile(then, now)
            self.add_error(None, _sentence(self.meanwhile))
        if self.instance.deleted:
            self.add_error(None, gettext("This row is deleted. Restore it before changing it."))

    def _meanwhile(self, then: Snapshot, now: Snapshot) -> Meanwhile:
        conflicts = []
        for change in differences(self.instance, then.values, now.values, self.spelling):
            yours = self._input(change.name, then.values[change.name])
            if yours is None and change.name in self.fields:
                # Left alone, it takes over the change rather than undoing it.
                self._show_current(change.name)
            conflicts.append(Conflict(change, yours))
        return Meanwhile(
            who=now.who,
            signed=now.who != then.who,
            when=self.instance.updated_at,
            changes=now.version - then.version,
            conflicts=conflicts,
        )

    def _input(self, name: str, shown: Any) -> str | None:
        """What somebody entered for a field, in words; None if they left it as it was shown."""
        if name not in self.fields:
            return None
        column: Any = self.instance._meta.get_field(name)
        was = column.to_python(shown)
        if isinstance(was, datetime):
            was = was.replace(microsecond=0)  # as a field shows it
        if not self.fields[name].has_changed(was, self[name].data):
            return None
        if name not in self.cleaned_data:
            return str(self[name].data)
        value = self.cleaned_data[name]
        value = value.pk if column.is_relation and value is not None else value
        return in_words(column, value, self.spelling.get(name))

    def _show_current(self, name: str) -> None:
        """Shows the row's own value instead of what came with the form."""
        self.fields[name].bound_data = lambda data, initial: initial  # type: ignore[method-assign]

    def _keep_what_was_not_touched(self, cleaned: Mapping[str, Any]) -> None:
        """A field shows no fraction of a second; saving the page must not cut it off."""
        for name in set(cleaned) - set(self.changed_data):
            if isinstance(cleaned[name], datetime):
                self.cleaned_data[name] = getattr(self.instance, name)

    # --- What may be chosen -----------------------------------------------------------------

    def _keep_deleted_choice(self) -> None:
        """Offers rows that are not deleted, and the one that is chosen already."""
        for name, field in self.fields.items():
            model = getattr(getattr(field, "queryset", None), "model", None)
            if model is not None and issubclass(model, Record):
                column: Any = self.instance._meta.get_field(name)
                chosen = getattr(self.instance, column.attname)
                may_be = Q(deleted=False) if chosen is None else Q(deleted=False) | Q(pk=chosen)
                field.queryset = model._base_manager.filter(may_be)  # type: ignore[attr-defined]

    def _offer_what_may_follow(self) -> None:
        status: Any = self.fields.get("status")
        if self.lifecycle is None or status is None:
            return
        row: Any = self.instance
        # What came with the form stays visible, also where it is refused.
        entered = self.data.get(self.add_prefix("status"))
        status.choices = [
            (value, label)
            for value, label in status.choices
            if value == entered or (value and self.lifecycle.allows(str(row.status), str(value)))
        ]

    def _check_status(self, cleaned: Mapping[str, Any]) -> None:
        if self.lifecycle is None or "status" not in cleaned:
            return
        row: Any = self.instance
        before, after = str(row.status), str(cleaned["status"])
        if not self.lifecycle.allows(before, after):
            column = row._meta.get_field("status")
            said = {"before": in_words(column, before), "after": in_words(column, after)}
            self.add_error(
                "status",
                ValidationError(
                    gettext("“%(before)s” cannot become “%(after)s”."),
                    code="forbidden_transition",
                    params=said,
                ),
            )


def _sentence(meanwhile: Meanwhile) -> str:
    when = formats.date_format(timezone.localtime(meanwhile.when), "DATETIME_FORMAT")
    said = {"who": meanwhile.who, "when": when, "count": meanwhile.changes}
    if meanwhile.changes == 1 and meanwhile.signed and meanwhile.who:
        happened = gettext(
            "Nothing was saved: while you had this page open, %(who)s changed it at %(when)s."
        )
    elif meanwhile.signed and meanwhile.who:
        happened = gettext(
            "Nothing was saved: while you had this page open, it was changed %(count)s times, last "
            "by %(who)s at %(when)s."
        )
    else:
        happened = ngettext(
            "Nothing was saved: while you had this page open, it was changed at %(when)s.",
            "Nothing was saved: while you had this page open, it was changed %(count)s times, last "
            "at %(when)s.",
            meanwhile.changes,
        )
        if meanwhile.who:
            happened += " " + gettext(
                "It still names %(who)s, as it did before; a program that gives no name may have "
                "written."
            )
    then = gettext(
        "What you entered is still here, and the fields that you left alone show what is there "
        "now. Save again if that is what you want."
    )
    return f"{happened % said} {then}"
