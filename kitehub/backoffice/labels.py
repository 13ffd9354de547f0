"""States as coloured labels in lists, and as words on the pages of single rows."""

from typing import NamedTuple


class Label(NamedTuple):
    """What a `@display(label=…)` returns: the code that has a colour, and the words for it.

    Lists draw it as a label. The page of a row writes it as text, which is the words alone.
    """

    code: str
    words: str

    def __str__(self) -> str:
        return self.words
