"""Choosing a row of another table in a form."""

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError


class CarefulSelect(AutocompleteSelect):
    """Django's chooser, which shows a form again whatever came back in it.

    Django asks the database for the name of what was chosen, and for what is no key that is an
    error; here it is a choice without name, and the form says what is wrong with it.
    """

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """The chosen rows, of those values that are keys at all."""
        return super().optgroups(name, [one for one in value if self._is_key(one)], attr)

    def _is_key(self, value: Any) -> bool:
        field: Any = self.field
        try:
            field.target_field.to_python(value)
        except ValidationError:
            return False
        return True
