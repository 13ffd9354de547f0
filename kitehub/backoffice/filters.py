"""Filters of the admin's lists."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django import forms
from django.contrib.admin import FieldListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str
from unfold.widgets import UnfoldAdminTextInputWidget

from kitehub.backoffice.amounts import parse_amount
from kitehub.display import money

ENDS = ("from", "to")


class Preset(NamedTuple):
    """A period that people ask for, on its way to the page."""

    label: str | Promise
    url: str
    active: bool


def periods(today: date) -> list[tuple[Any, date, date]]:
    """The usual periods up to a day: words, first day, last day."""
    first = today.replace(day=1)
    before = first - timedelta(days=1)
    yesterday = today - timedelta(days=1)
    return [
        (_("Today"), today, today),
        (_("Yesterday"), yesterday, yesterday),
        (_("7 days"), today - timedelta(days=6), today),
        (_("30 days"), today - timedelta(days=29), today),
        (_("This month"), first, today),
        (_("Last month"), before.replace(day=1), before),
    ]


class TypedRange:
    """For a filter with two ends that people type.

    An end that can't be read gives no rows: without it, they would be taken for what was asked for.
    """

    used_parameters: dict[str, Any]
    parameter_name: Any
    title: Any
    # How an end is written, in a sentence.
    wanted: Any = ""

    def refusal(self) -> str:
        """Which end can't be read, and how one is written; empty where each can."""
        unread = [text for end in ENDS if (text := self._text(end)) and self._end(end) is None]
        if not unread:
            return ""
        return gettext("%(field)s: “%(text)s” can't be read. %(wanted)s") % {
            "field": capfirst(self.title),
            "text": " – ".join(unread),
            "wanted": self.wanted,
        }

    def _end(self, end: str) -> Any:
        raise NotImplementedError

    def _text(self, end: str) -> str:
        given = self.used_parameters.get(f"{self.parameter_name}_{end}", "")
        return str(given[-1] if isinstance(given, list) else given).strip()


class DayRangeFilter(TypedRange, RangeDateFilter):
    """From one day to another, both included, in Vietnamese time.

    unfold's own compares a moment with a bare date, which leaves the last day out.
    """

    template = "kitehub/backoffice/list/day_range.html"
    wanted = _("Write a day as 31/12/2026.")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Rows from the first day's start on and before the start of the day after the last."""
        if self.refusal():
            return queryset.none()
        if first := self._day("from"):
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": _start(first)})
        if last := self._day("to"):
            if last == date.max:
                # No day comes after it; who has none at all isn't meant, as with any other day.
                return queryset.filter(**{f"{self.parameter_name}__isnull": False})
            after = _start(last + timedelta(days=1))
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": after})
        return queryset

    def ordered_by(self) -> str:
        """The column whose index finds the rows, where a day is given."""
        return str(self.parameter_name) if self._day("from") or self._day("to") else ""

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """The fields, and the usual periods."""
        for choice in super().choices(changelist):
            yield {**choice, "presets": self.presets(changelist)}

    def presets(self, changelist: ChangeList) -> list[Preset]:
        """Links to the usual periods; that of the one that is chosen takes it off."""
        chosen = self._day("from"), self._day("to")
        names = [f"{self.parameter_name}_{end}" for end in ENDS]
        shown = []
        for label, *days in periods(timezone.localdate()):
            active = chosen == tuple(days)
            values = [None if active else f"{day:%d/%m/%Y}" for day in days]
            url = changelist.get_query_string(dict(zip(names, values, strict=True)))
            shown.append(Preset(label, url, active))
        return shown

    def chip(self) -> str:
        """The days that are chosen, in words; none where neither is a day."""
        return _range_words(*(day and _written(day) for day in map(self._day, ENDS)))

    def _day(self, end: str) -> date | None:
        found: date | None = parse_date_str(self._text(end))
        return found

    _end = _day


class AmountRangeForm(forms.Form):
    """Two amounts, as people type them."""

    def __init__(self, name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for end, label in (("from", _("From amount")), ("to", _("To amount"))):
            attrs = {"placeholder": label, "aria-label": label, "inputmode": "decimal"}
            self.fields[f"{name}_{end}"] = forms.CharField(
                label=label, required=False, widget=UnfoldAdminTextInputWidget(attrs=attrs)
            )


class AmountRangeFilter(TypedRange, FieldListFilter):
    """From one amount to another, both included; thousands may be set off."""

    template = "kitehub/backoffice/list/amount_range.html"
    wanted = _("Write an amount as 1.500.000, 1500k or 1tr5.")

    def __init__(self, field: Any, request: Any, params: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, request, params, *args, **kwargs)
        # unfold's way, which its form of filters knows.
        self.parameter_name = self.field_path

    def expected_parameters(self) -> list[str | None]:
        """Both ends."""
        return [f"{self.field_path}_from", f"{self.field_path}_to"]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows between."""
        if self.refusal():
            return queryset.none()
        if (least := self._amount("from")) is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": least})
        if (most := self._amount("to")) is not None:
            queryset = queryset.filter(**{f"{self.field_path}__lte": most})
        return queryset

    def ordered_by(self) -> str:
        """The column whose index finds the rows, where an amount is given."""
        given = (self._amount("from"), self._amount("to"))
        return self.field_path if given != (None, None) else ""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The two fields."""
        given = {f"{self.field_path}_{end}": self._text(end) for end in ENDS}
        yield {"form": AmountRangeForm(self.field_path, data=given)}

    def chip(self) -> str:
        """The amounts that are chosen, in words; none where neither is one."""
        ends = [*map(self._amount, ENDS)]
        return _range_words(*(None if end is None else money(end) for end in ends))

    def _amount(self, end: str) -> int | None:
        return parse_amount(self._text(end))

    _end = _amount


def _range_words(first: Any, last: Any) -> str:
    if first and last:
        return str(first) if first == last else f"{first} – {last}"
    if first:
        return gettext("from %(first)s") % {"first": first}
    return gettext("up to %(last)s") % {"last": last} if last else ""


def _written(day: date) -> str:
    return formats.date_format(day, "SHORT_DATE_FORMAT")


def _start(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
