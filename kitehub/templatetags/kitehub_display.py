"""How templates write amounts and moments, on pages and in mail."""

from datetime import date, datetime
from typing import Any

from django import template
from django.utils import dateparse, formats, timezone

from kitehub import display
from kitehub.enums import Tier

register = template.Library()


@register.filter
def money(amount: int | None) -> str:
    """Đồng: `299.000 ₫`; unknown is a dash."""
    return display.money(amount)


@register.filter
def size(count: int | None) -> str:
    """Bytes in the largest unit that fits; unknown is a dash."""
    return display.size(count)


@register.filter
def tier(value: str) -> str:
    """A tier as people call it."""
    return str(Tier(value).label) if value in Tier.values else value


@register.filter
def moment(value: Any) -> str:
    """A moment or its ISO text, as people in Vietnam read it: day and time. None is a dash."""
    read = dateparse.parse_datetime(value) if isinstance(value, str) else value
    if not isinstance(read, datetime):
        return "–"
    return formats.date_format(timezone.localtime(read), "SHORT_DATETIME_FORMAT")


@register.filter
def day(value: Any) -> str:
    """The day of a moment, of a date or of the ISO text of either. None is a dash."""
    read = value
    if isinstance(value, str):
        read = dateparse.parse_datetime(value) or dateparse.parse_date(value)
    if isinstance(read, datetime):
        read = timezone.localtime(read).date()
    return formats.date_format(read, "SHORT_DATE_FORMAT") if isinstance(read, date) else "–"
