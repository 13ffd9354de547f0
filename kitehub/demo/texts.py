"""Vietnamese text without its accents, as subdomains, e-mail addresses and banks want it."""

import re
import unicodedata


def unaccented(text: str) -> str:
    """The letters without accents; đ, which Unicode does not decompose, becomes d."""
    letters = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def slug(text: str) -> str:
    """Lower-case words joined by hyphens."""
    return "-".join(re.findall(r"[a-z0-9]+", unaccented(text).lower()))


def capitals(text: str) -> str:
    """Upper-case words joined by blanks: how banks write an account's holder."""
    return " ".join(re.findall(r"[A-Z0-9]+", unaccented(text).upper()))
