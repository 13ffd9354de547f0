"""Sentences that programs keep, and that people read in their own language.

What goes wrong in the background is written down in English, which logs and commands speak, long
before somebody looks. So that it can still be said in the reader's language, a sentence remembers
what it was made of.
"""

from collections.abc import Mapping
from typing import Any, Self

from django.utils.formats import number_format
from django.utils.translation import gettext


class Sentence(str):
    """A sentence in English: a message as `gettext_noop` marks it, with its parts filled in.

        raise MoveRefused(Sentence(gettext_noop("%(place)s has %(rows)s rows."), place=…, rows=12))

    Whole numbers are grouped as the language does, so a number that is a name is given as text. A
    part may be a sentence.
    """

    __slots__ = ("message", "parts")

    message: str
    parts: dict[str, "str | int | Sentence"]

    def __new__(cls, message: str, **parts: object) -> Self:
        """Of whatever the parts are, their text; without NUL, which PostgreSQL can't keep."""
        kept = {
            name: part if isinstance(part, int) else _text(part) for name, part in parts.items()
        }
        shown = {
            name: f"{part:,}" if isinstance(part, int) else str(part) for name, part in kept.items()
        }
        made = super().__new__(cls, message % shown if parts else message)
        made.message, made.parts = message, kept
        return made

    def __str__(self) -> str:
        """Itself, so that what says it as its own text hands on what it was made of."""
        return self

    def __reduce__(self) -> Any:
        """Copied with what it was made of."""
        return _made, (self.message, self.parts)

    def having(self, **parts: object) -> "Sentence":
        """The same with other parts."""
        return Sentence(self.message, **{**self.parts, **parts})

    def plain(self) -> dict[str, Any]:
        """What it was made of, as JSON has it."""
        parts = {
            name: part.plain() if isinstance(part, Sentence) else part
            for name, part in self.parts.items()
        }
        return {"message": self.message, "parts": parts}


def sentence_of(error: BaseException) -> Sentence | None:
    """What an error says, if it says it in a sentence that can be translated."""
    said = error.args[0] if error.args else None
    return said if isinstance(said, Sentence) else None


def translated(text: str) -> str:
    """A text in the active language if it is a sentence; any other as it is."""
    return spoken(text.plain()) if isinstance(text, Sentence) else text


def spoken(plain: Mapping[str, Any]) -> str:
    """A kept sentence in the active language; in English where nobody knows it any more."""
    parts = {name: _spoken_part(part) for name, part in plain["parts"].items()}
    message = gettext(plain["message"])
    return message % parts if parts else message


def _spoken_part(part: Any) -> str:
    if isinstance(part, Mapping):
        return spoken(part)
    if isinstance(part, int):
        return number_format(part, use_l10n=True, force_grouping=True)
    return str(part)


def _text(part: object) -> str:
    """The text of a part, which may be a sentence itself, or say so of itself."""
    text = str(part)
    return text if isinstance(text, Sentence) else text.replace("\x00", "")


def _made(message: str, parts: dict[str, Any]) -> Sentence:
    return Sentence(message, **parts)
