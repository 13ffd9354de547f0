"""Filters of the admin's lists."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str


class DayRangeFilter(RangeDateFilter):
    """From one day to another, both included, in Vietnamese time.

    unfold's own compares a moment with a bare date, which leaves the last day out.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Rows from the first day's start on and before the start of the day after the last.

        What is no date is passed over, as an empty field is.
        """
        if first := self._day("from"):
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": _start(first)})
        if (last := self._day("to")) and last < date.max:
            after = _start(last + timedelta(days=1))
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": after})
        return queryset

    def _day(self, end: str) -> date | None:
        text = self.used_parameters.get(f"{self.parameter_name}_{end}")
        found: date | None = parse_date_str(text) if isinstance(text, str) else None
        return found


def _start(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
