"""Form fields for moments: which ones people may enter, and what leaving one alone means."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy

# A slip of the finger in the year is caught, and every zone can show what is stored.
FIRST_YEAR, LAST_YEAR = 1900, 2999


class MomentField(forms.SplitDateTimeField):
    """A day and a time within the years that people mean.

    What a program wrote may be outside of them, and then the field may be left as it is.
    """

    default_error_messages: ClassVar = {
        **forms.SplitDateTimeField.default_error_messages,
        "year": gettext_lazy("Enter a year from %(first)s to %(last)s."),
    }

    def prepare_value(self, value: Any) -> Any:
        """What to show: nothing of a text that an add page's address proposes."""
        return None if isinstance(value, str) else super().prepare_value(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Never by sending back what was shown, also where that could not be typed."""
        return not self._is_as_shown(initial, data) and super().has_changed(initial, data)

    def validate(self, value: Any) -> None:
        """Refuses other years."""
        super().validate(value)
        if isinstance(value, datetime) and not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise ValidationError(
                self.error_messages["year"],
                code="year",
                params={"first": FIRST_YEAR, "last": LAST_YEAR},
            )

    def _clean_bound_field(self, bf: BoundField) -> Any:
        """Django's hook for fields that need to know what was there."""
        if bf.initial is not None and self._is_as_shown(bf.initial, bf.data):
            return bf.initial
        return super()._clean_bound_field(bf)  # type: ignore[misc]

    def _is_as_shown(self, initial: Any, data: Any) -> bool:
        widget: Any = self.widget
        shown = initial if isinstance(initial, list) else widget.decompress(initial)
        parts = zip(widget.widgets, shown, strict=True)
        return [part.format_value(value) or "" for part, value in parts] == [
            text or "" for text in data or []
        ]
