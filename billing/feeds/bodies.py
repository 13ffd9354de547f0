"""Reading what a service sends: strict JSON, and fields that are what they have to be."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from billing.feeds.lines import MOST_DONG, Malformed

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
# No service nests deeper than two levels.
DEEPEST = 16
LONGEST_TEXT = 2000
LONGEST_NAME = 100
# As the columns have them.
LONGEST_ACCOUNT = 50
LONGEST_PERSON = 200
_WHOLE = re.compile(r"-?[0-9]{1,20}\.0{1,9}", re.ASCII)
_MOMENT = re.compile(
    r"(20[0-9]{2}-[0-9]{2}-[0-9]{2})"
    r"(?:[ T]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})? ?(Z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.ASCII,
)


def read_object(raw_body: bytes) -> dict[str, Any]:
    """The JSON object of a body.

    Raises Malformed for what isn't one: not UTF-8, broken, a list, a key that is there twice, NaN,
    nested too deeply, a text with a NUL or half a character.
    """
    try:
        text = raw_body.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("", _("The body is not UTF-8.")) from None
    try:
        body = json.loads(
            text, object_pairs_hook=_unique, parse_float=_number, parse_constant=_no_number
        )
        _check(body, "", DEEPEST)
    except RecursionError:
        raise Malformed("", _("The body is nested too deeply.")) from None
    except ValueError:
        raise Malformed("", _("The body is not JSON.")) from None
    if not isinstance(body, dict):
        raise Malformed("", _("The body is not a JSON object."))
    return body


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; which of two values is meant, and which was signed, nobody can tell."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(name for name, _value in pairs).most_common(1)[0][0]
        raise Malformed(twice[:LONGEST_NAME], _("The field is there twice."))
    return found


def _number(text: str) -> int | float:
    """A number with a point; 200500.0 is as whole as 200500."""
    if _WHOLE.fullmatch(text):
        return int(text.partition(".")[0])
    value = float(text)
    if not math.isfinite(value):
        _no_number(text)
    return value


def _no_number(text: str) -> NoReturn:
    raise Malformed("", _("The body has a number that is none: NaN or infinite."))


def _check(value: Any, path: str, depth: int) -> None:
    """Refuses what JSON allows and PostgreSQL can't store."""
    if depth < 0:
        raise Malformed("", _("The body is nested too deeply."))
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, dict):
        for name, each in value.items():
            _check_text(name, path)
            _check(each, f"{path}.{name}" if path else name, depth - 1)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            _check(each, f"{path}.{number}" if path else str(number), depth - 1)


def _check_text(text: str, path: str) -> None:
    if "\x00" in text:
        raise Malformed(path[:LONGEST_NAME], _("The text has a NUL character."))
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Malformed(path[:LONGEST_NAME], _("The text has half of a character."))


class Fields:
    """An object of a body, whose fields are read by what they have to be.

    Every reader raises Malformed with the field's whole path.
    """

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise Malformed(path, _("This is not an object."))
        self.raw: dict[str, Any] = value
        self._path = path

    def path(self, name: str) -> str:
        """A field's name from the body on: `data.amount`."""
        return f"{self._path}.{name}" if self._path else name

    def _value(self, name: str) -> Any:
        if name not in self.raw:
            raise Malformed(self.path(name), _("The field is missing."))
        return self.raw[name]

    def object(self, name: str) -> "Fields":
        """An object inside."""
        return Fields(self._value(name), self.path(name))

    def objects(self, name: str) -> Iterator["Fields"]:
        """The objects of a list."""
        values = self._value(name)
        if not isinstance(values, list):
            raise Malformed(self.path(name), _("This is not a list."))
        for number, value in enumerate(values):
            yield Fields(value, f"{self.path(name)}.{number}")

    def text(self, name: str, longest: int = LONGEST_NAME) -> str:
        """A text that has to be there and not be blank."""
        text = self._text(self._value(name), name, longest)
        if not text:
            raise Malformed(self.path(name), _("The field is empty."))
        return text

    def optional_text(self, name: str, longest: int = LONGEST_TEXT) -> str:
        """A text; empty where it is missing or null."""
        value = self.raw.get(name)
        return "" if value is None else self._text(value, name, longest)

    def short_text(self, name: str, longest: int = LONGEST_NAME) -> str:
        """A text that only informs, cut where it is longer than we keep; `raw` has it whole."""
        return self.optional_text(name)[:longest]

    def _text(self, value: Any, name: str, longest: int) -> str:
        if not isinstance(value, str):
            raise Malformed(self.path(name), _("This is not a text."))
        text = value.strip()
        if len(text) > longest:
            reason = _("The text is longer than %(most)s characters.") % {"most": longest}
            raise Malformed(self.path(name), reason)
        return text

    def whole(self, name: str) -> int:
        """A whole number of at most 18 digits."""
        return self._whole(self._value(name), name)

    def optional_whole(self, name: str) -> int | None:
        """A whole number; None where it is missing or null."""
        value = self.raw.get(name)
        return None if value is None else self._whole(value, name)

    def _whole(self, value: Any, name: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Malformed(self.path(name), _("This is not a whole number."))
        if abs(value) >= 10**18:
            raise Malformed(self.path(name), _("The number is too large."))
        return value

    def amount(self, name: str) -> int:
        """An amount in đồng, from 1 to 13 digits."""
        amount = self.whole(name)
        if amount <= 0:
            raise Malformed(self.path(name), _("The amount is not above 0."))
        return self._within_13_digits(amount, name)

    def signed_amount(self, name: str) -> int:
        """An amount in đồng that is below 0 where money went out; never 0."""
        amount = self.whole(name)
        if amount == 0:
            raise Malformed(self.path(name), _("The amount is 0."))
        return self._within_13_digits(amount, name)

    def _within_13_digits(self, amount: int, name: str) -> int:
        if abs(amount) > MOST_DONG:
            raise Malformed(self.path(name), _("The amount has more than 13 digits."))
        return amount

    def moment(self, name: str) -> tuple[datetime, bool]:
        """When something was, aware, and whether the hour was told.

        Without a zone it is Vietnamese time, as the services write it.
        """
        found = _MOMENT.fullmatch(self.text(name))
        try:
            if found:
                day, hour, zone = found.groups()
                moment = datetime.fromisoformat(f"{day}T{hour or '00:00:00'}{zone or ''}")
                if moment.tzinfo is None:
                    moment = moment.replace(tzinfo=VIETNAM)
                elif abs(moment.utcoffset() or timedelta()) > timedelta(hours=14):
                    raise ValueError
                return moment, hour is not None
        except ValueError:
            pass
        raise Malformed(self.path(name), _("This is not a date and time."))
