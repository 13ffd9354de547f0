"""Order codes in what banks deliver for a memo.

Banks wrap the memo, glue it to references, break its lines, lower its case and drop whatever isn't
a letter or a digit; people type it by hand. A code is found by its prefix and length, with and
without blanks inside, and is one only if its check character fits; of accidents 28 in 29 don't.
Whether an order of that code waits for that amount is for the caller to see.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import product

from billing.order_codes import ALPHABET, LENGTH, PREFIX, is_code
from billing.plain_text import fold

# What people type, outside the alphabet, for characters of it that they misread.
_MISREAD = {"0": "DQ", "O": "DQ", "1": "7J", "I": "7J", "L": "7J", "S": "5", "Z": "2"}
_MISREADINGS = 2
_MENDED_BLANKS = 1

# Literals come first, for speed; what is before is looked at afterwards.
_WORD = re.compile(rf"{PREFIX}[{ALPHABET}]{{{LENGTH - len(PREFIX)}}}\b")
# Stands where a code was taken out: nothing reaches over it.
_TAKEN = "|"
_LETTER = "[0-9A-Z]"
# The first letter alone is consumed, so that codes are found that begin within what isn't one.
_LOOSE = re.compile(
    rf"{PREFIX[0]}(?=( ?{PREFIX[1]}(?: ?{_LETTER}){{{LENGTH - len(PREFIX)}}})({_LETTER}?))"
)

# How doubtful a find is, and the code.
_Find = tuple[int, str]
_WHOLE, _PER_BLANK, _MENDED = 0, 10, 1000


def order_codes(text: str) -> list[str]:
    """The order codes in a memo, each once, the most certain first.

    Certain is a code that stands as a word of its own; less so is one glued to its neighbours, then
    one with blanks inside (the fewer, the surer), then one with up to two characters misread that
    its check character corrects. Equals are in the order of the text. Takes time in proportion to
    the text, whatever it is.
    """
    return order_codes_in((text,))


def order_codes_in(texts: Iterable[str | None]) -> list[str]:
    """The order codes in several fields of one notice, as `order_codes` orders them."""
    finds = [find for text in texts if text for find in _finds(fold(text))]
    if len(finds) > 1:
        finds.sort(key=lambda find: find[0])
    return list(dict.fromkeys(code for _, code in finds))


def _finds(plain: str) -> list[_Find]:
    if PREFIX not in plain.replace(" ", ""):
        return []
    finds: list[_Find] = []

    def take(word: re.Match[str]) -> str:
        if _before(word).isalnum() or not is_code(word[0]):
            return word[0]
        finds.append((_WHOLE, word[0]))
        return _TAKEN

    rest = _WORD.sub(take, plain)
    for match in _LOOSE.finditer(rest):
        finds += _judged(match)
    return finds


def _judged(match: re.Match[str]) -> list[_Find]:
    """The codes that ten letters may be, with blanks among them and neighbours beside."""
    glued = _before(match).isalnum() or match[2] != ""
    blanks = match[1].count(" ")
    # Parts of words are a code only by accident; one line may break within, though.
    if glued and blanks > 1:
        return []
    code = PREFIX[0] + match[1].replace(" ", "")
    doubt = blanks * _PER_BLANK + glued
    if is_code(code):
        return [(doubt, code)]
    if glued or blanks > _MENDED_BLANKS:
        return []
    return [(_MENDED + doubt, mended) for mended in _mended(code)]


def _before(match: re.Match[str]) -> str:
    """The character before, or nothing."""
    return match.string[match.start() - 1 : match.start()]


def _mended(code: str) -> Iterator[str]:
    """The codes that somebody may have misread as this."""
    body = code[len(PREFIX) :]
    if not 1 <= sum(letter in _MISREAD for letter in body) <= _MISREADINGS:
        return
    for letters in product(*(_MISREAD.get(letter, letter) for letter in body)):
        if is_code(mended := PREFIX + "".join(letters)):
            yield mended
