"""Amounts of đồng as people type or paste them."""

import re
from decimal import Decimal

# More than any account holds, and what a bigint column can compare with.
MOST = 10**15

_GROUPED = re.compile(r"\d{1,3}(?P<mark>[.,' ])\d{3}(?:(?P=mark)\d{3})*", re.ASCII)
_SHORT = re.compile(r"(?P<whole>\d{1,9})(?:[.,](?P<part>\d{1,3}))?(?P<unit>k|n|tr|m)", re.ASCII)
# 1tr5 is 1,5tr, and 1tr500k is said in full.
_SPOKEN = re.compile(
    r"(?P<whole>\d{1,9})(?P<unit>k|n|tr|m)(?P<part>\d{1,3})(?P<rest>[kn]?)", re.ASCII
)
_SIGN = re.compile(r"(₫|đồng|đ|vnđ|vnd)$")
# Thousands (k, nghìn) and millions (tr, triệu), as prices are written every day.
_UNITS = {"k": 1_000, "n": 1_000, "tr": 1_000_000, "m": 1_000_000}
_WORDS = {"nghìn": "k", "ngàn": "k", "triệu": "tr"}


def parse_amount(text: str) -> int | None:
    """The đồng that a text says, or None: `299000`, `299.000 ₫`, `299k`, `1,5tr`, `1tr5`.

    A dot or comma before three digits parts thousands: nobody writes parts of a đồng.
    """
    said = " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").lower().split())
    minus = said.startswith(("-", "−"))
    said = _SIGN.sub("", said.lstrip("-−+")).strip()
    for word, unit in _WORDS.items():
        said = said.replace(word, unit)
    amount = _plain(said) if said else None
    if amount is None or amount > MOST:
        return None
    return -amount if minus else amount


def _plain(said: str) -> int | None:
    if said.isascii() and said.isdigit() and len(said) <= len(str(MOST)):
        return int(said)
    if len(said) <= 2 * len(str(MOST)) and _GROUPED.fullmatch(said):
        return int(re.sub(r"\D", "", said))
    close = said.replace(" ", "")
    short = _SHORT.fullmatch(close) or _SPOKEN.fullmatch(close)
    if short is None:
        return None
    unit = _UNITS[short["unit"]]
    if short.groupdict().get("rest"):
        return int(short["whole"]) * unit + int(short["part"]) * 1_000 if unit > 1_000 else None
    return int(Decimal(f"{short['whole']}.{short['part'] or 0}") * unit)
