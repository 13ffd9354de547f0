"""Search by the beginnings of words, as Vietnamese type them: with accents or without."""

import re
import unicodedata

from django.contrib.postgres.search import SearchVectorField
from django.db.models import BooleanField, F, Func, Q, Value


def _without_accents(letter: str) -> str:
    return unicodedata.normalize("NFD", letter.replace("đ", "d"))[0]


_ACCENTED = "".join(
    unicodedata.normalize("NFC", base + shape + tone)
    for base, shapes in {
        "a": ["", "\u0306", "\u0302"],
        "e": ["", "\u0302"],
        "i": [""],
        "o": ["", "\u0302", "\u031b"],
        "u": ["", "\u031b"],
        "y": [""],
    }.items()
    for shape in shapes
    for tone in ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
    if shape or tone
)
_LETTERS = f"{_ACCENTED}đ"
# What parts the words of e-mail addresses, which PostgreSQL would take as one.
_STOPS = ".@-_+/"
# Accents of their own go: behind the letters that have a counterpart, translate() drops the rest.
_FROM = f"{_LETTERS}{_LETTERS.upper()}{_STOPS}\u0300\u0301\u0303\u0309\u0323\u0302\u0306\u031b"
_TO = "".join(map(_without_accents, _LETTERS)) * 2 + " " * len(_STOPS)
_FOLDED = str.maketrans(_FROM, _TO.ljust(len(_FROM), "\0"))
# More words than anybody types, and longer ones than PostgreSQL looks up.
_MOST_WORDS, _LONGEST_WORD = 10, 100
# Numbers up to so many digits are meant as they stand: who asks for school 7 doesn't want 7,000 to
# 7,999 too, which are many where there are many schools.
_DIGITS_MEANT = 3


class FoldedWords(Func):
    """The words of columns in small letters without Vietnamese accents, as a tsvector.

    An index on it is used by `starts_words`. What is folded is part of the index: a change here
    needs a new one.
    """

    template = (
        f"to_tsvector('simple'::regconfig, lower(translate(%(expressions)s, '{_FROM}', '{_TO}')))"
    )
    arg_joiner = " || ' ' || "
    output_field = SearchVectorField()


def starts_words(term: str, *columns: str) -> Q:
    """Rows in whose columns each word of the term begins some word; none for a term of no word.

    A short number has to be there as it stands.
    """
    folded = term.translate(_FOLDED).replace("\0", "").lower()
    words = re.findall(r"[^\W_]+", folded)[:_MOST_WORDS]
    if not words or max(map(len, words)) > _LONGEST_WORD:
        return Q()
    query = Func(Value(" & ".join(map(_asked, words))), template="%(expressions)s::tsquery")
    found = Func(
        FoldedWords(*map(F, columns)),
        query,
        template="(%(expressions)s)",
        arg_joiner=" @@ ",
        output_field=BooleanField(),
    )
    return Q(found)


def _asked(word: str) -> str:
    whole = word.isdecimal() and len(word) <= _DIGITS_MEANT
    return f"'{word}'" if whole else f"'{word}':*"
