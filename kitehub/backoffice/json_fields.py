"""JSON in forms: what PostgreSQL cannot keep is an error of its field."""

import json
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy


class StorableJSONField(forms.JSONField):
    """JSON that a jsonb column takes.

    Python's parser lets through NaN and infinities, which are no JSON, and NUL and halves of
    characters, which are no text of PostgreSQL's; of huge numbers and depths it raises what
    Django doesn't expect.
    """

    default_error_messages: ClassVar = {
        **forms.JSONField.default_error_messages,
        "unstorable": gettext_lazy(
            "This holds something that cannot be stored: NaN, infinity or broken characters."
        ),
    }

    def to_python(self, value: Any) -> Any:
        """The value, or the error of its field."""
        try:
            found = super().to_python(value)
        except (ValueError, RecursionError):
            raise ValidationError(
                self.error_messages["invalid"], code="invalid", params={"value": value}
            ) from None
        if not _is_storable(found):
            raise ValidationError(self.error_messages["unstorable"], code="unstorable")
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What came in, to be shown again: as it was typed where it is no value."""
        try:
            found = super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)
        return found if _is_storable(found) else InvalidJSONInput(data)


def shown_json(data: Any, encoder: type[json.JSONEncoder] | None = None) -> SafeString:
    """JSON on a page that nobody may change, as people read it.

    In place of unfold's `prettify_json`, which colours it by inline styles where Pygments happens
    to be installed, and escapes every Vietnamese letter.
    """
    text = json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True, cls=encoder)
    return format_html('<pre class="shown-json">{}</pre>', text)


def _is_storable(value: Any) -> bool:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        return False
    return "\\u0000" not in text.replace("\\\\", "")
