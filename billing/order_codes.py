"""The code of a payment order, which banks carry in the memo: `KH` and eight characters.

The last character is a check character: the values of the eight, each times its weight, sum to a
multiple of 29. That is a prime and every weight and every difference of two weights is between 1
and 28, so any one character that is wrong and any two that changed places are found out; of other
errors and of accidents, 28 in 29 are.

The alphabet leaves out 0 and O, 1, I and L, S (a 5) and Z (a 2). A code has both a letter and a
digit among its eight, so that neither words (KHACH HANG) nor customer numbers (KH12345678) are one.
"""

import re
import secrets
from collections.abc import Callable

PREFIX = "KH"
ALPHABET = "23456789ABCDEFGHJKMNPQRTUVWXY"
LENGTH = len(PREFIX) + 8

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 1)
_SHAPE = re.compile(f"{PREFIX}(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])[{ALPHABET}]{{{LENGTH - len(PREFIX)}}}")


def new_code() -> str:
    """A random code, of some 15 thousand million. The orders' unique key has the last word."""
    return draw_code(secrets.choice)


def draw_code(choose: Callable[[str], str]) -> str:
    """A code from characters that `choose` takes from the alphabet, such as a seeded random's."""
    while True:
        body = "".join(choose(ALPHABET) for _ in _WEIGHTS[:-1])
        # The last weight is 1.
        code = PREFIX + body + ALPHABET[-_sum(body) % len(ALPHABET)]
        if is_code(code):
            return code


def is_code(text: str) -> bool:
    """Whether this is a code, whole and in upper case, and its check character fits.

    Orders from before check characters have codes that aren't: look those up as they are.
    """
    return bool(_SHAPE.fullmatch(text)) and _sum(text[len(PREFIX) :]) % len(ALPHABET) == 0


def _sum(characters: str) -> int:
    pairs = zip(characters, _WEIGHTS, strict=False)
    return sum(_VALUES[character] * weight for character, weight in pairs)
