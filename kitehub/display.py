"""How amounts and sizes are written for people, in the active language."""

from decimal import Decimal

from django.template.defaultfilters import filesizeformat
from django.utils import formats

NBSP = "\u00a0"


def money(amount: int | None) -> str:
    """An amount of đồng with thousands set off and the sign behind it: `299.000 ₫`.

    The blank is a non-breaking one. Unknown is a dash.
    """
    if amount is None:
        return "–"
    return f"{formats.number_format(amount, force_grouping=True)}{NBSP}₫"


def size(count: int | None) -> str:
    """A number of bytes in the largest unit that fits, by 1,024. Unknown is a dash."""
    return "–" if count is None else filesizeformat(count)


def percent(part: int, whole: int) -> str:
    """A share in whole percent, with no blank as Vietnamese and English write it; or a dash."""
    return f"{part * 100 // whole}%" if whole else "–"


def rate(part: int, whole: int) -> str:
    """A share in percent with one decimal, halves rounded up: `2,4%` in Vietnamese. Or a dash."""
    if not whole:
        return "–"
    tenths = (2000 * part + whole) // (2 * whole)
    return f"{formats.number_format(Decimal(tenths) / 10, 1)}%"
