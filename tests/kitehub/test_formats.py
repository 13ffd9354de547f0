"""Dates, times and numbers are written and read as in an office in Vietnam."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django import forms
from django.conf import settings
from django.template import engines
from django.test import RequestFactory
from django.utils import formats, timezone, translation
from django.views.i18n import JSONCatalog
from unfold.utils import parse_date_str, parse_datetime_str

MOMENT = dt.datetime(2025, 10, 5, 14, 30, 59, tzinfo=dt.timezone(dt.timedelta(hours=7)))
LANGUAGES = pytest.mark.parametrize("language", ["vi", "en"])


@LANGUAGES
def test_dates_are_day_month_year_with_24_hours(language: str) -> None:
    with translation.override(language):
        assert formats.date_format(MOMENT) == "05/10/2025"
        assert formats.date_format(MOMENT, "SHORT_DATE_FORMAT") == "05/10/2025"
        assert formats.date_format(MOMENT, "DATETIME_FORMAT") == "05/10/2025 14:30"
        assert formats.date_format(MOMENT, "SHORT_DATETIME_FORMAT") == "05/10/2025 14:30"
        assert formats.time_format(MOMENT.time()) == "14:30"


@pytest.mark.parametrize(
    ("language", "month", "day"),
    [("vi", "tháng 10/2025", "05/10"), ("en", "October 2025", "5 October")],
)
def test_steps_of_a_date_hierarchy_are_words(language: str, month: str, day: str) -> None:
    with translation.override(language):
        assert formats.date_format(MOMENT, "YEAR_MONTH_FORMAT") == month
        assert formats.date_format(MOMENT, "MONTH_DAY_FORMAT") == day


@LANGUAGES
@pytest.mark.parametrize(
    "typed",
    ["05/10/2025", "5/10/2025", "05-10-2025", "5.10.2025", "05/10/25", "2025-10-05"],
)
def test_a_typed_date_is_read_day_first(language: str, typed: str) -> None:
    with translation.override(language):
        assert forms.DateField().clean(typed) == dt.date(2025, 10, 5)


@LANGUAGES
@pytest.mark.parametrize("typed", ["31/02/2025", "10/25/2025", "2025-25-10", "5/10", "hôm nay"])
def test_what_is_no_date_is_refused(language: str, typed: str) -> None:
    with translation.override(language), pytest.raises(forms.ValidationError):
        forms.DateField().clean(typed)


@LANGUAGES
@pytest.mark.parametrize(
    "typed",
    [
        "05/10/2025 14:30",
        "5/10/2025 14:30:00",
        "14:30 05/10/2025",
        "14h30 5/10/2025",
        "05-10-2025 14h30",
        "2025-10-05 14:30",
        "2025-10-05T14:30",
        "2025-10-05T07:30:00Z",
    ],
)
def test_a_typed_moment_is_read_in_peoples_time(language: str, typed: str) -> None:
    with translation.override(language):
        assert forms.DateTimeField().clean(typed) == MOMENT.replace(second=0)


@LANGUAGES
def test_a_form_that_is_saved_unchanged_keeps_the_second(language: str) -> None:
    class Form(forms.Form):
        at = forms.SplitDateTimeField()

    with translation.override(language), timezone.override("Asia/Ho_Chi_Minh"):
        shown = Form(initial={"at": MOMENT})["at"].subwidgets[0].data["subwidgets"]
        sent = {widget["name"]: widget["value"] for widget in shown}
        assert sent == {"at_0": "05/10/2025", "at_1": "14:30:59"}
        form = Form(sent, initial={"at": MOMENT})
        assert form.is_valid()
        assert form.cleaned_data["at"] == MOMENT
        assert not form.has_changed()


def test_code_that_reads_the_settings_reads_dates_the_same_way() -> None:
    """The range filters of unfold do, and ignore what they cannot read."""
    assert parse_date_str("03/04/2025") == dt.date(2025, 4, 3)
    assert parse_date_str("25/12/2025") == dt.date(2025, 12, 25)
    moment = parse_datetime_str("03/04/2025 14:30:59")
    assert moment is not None
    assert moment.isoformat() == "2025-04-03T14:30:59"
    for language in ("vi", "en"):
        for name in ("DATE_INPUT_FORMATS", "TIME_INPUT_FORMATS", "DATETIME_INPUT_FORMATS"):
            chosen = formats.get_format(name, lang=language, use_l10n=True)
            assert chosen[: len(getattr(settings, name))] == getattr(settings, name), name


@LANGUAGES
def test_the_calendar_writes_what_the_filters_read(language: str) -> None:
    view = JSONCatalog.as_view(packages=["django.contrib.admin"])
    with translation.override(language):
        served = json.loads(view(RequestFactory().get("/")).content)["formats"]
    assert served["DATE_INPUT_FORMATS"][0] == "%d/%m/%Y"
    assert served["TIME_INPUT_FORMATS"][0] == "%H:%M:%S"
    assert served["FIRST_DAY_OF_WEEK"] == 1


@pytest.mark.parametrize(
    ("language", "grouped", "decimal"),
    [("vi", "1.234.567", "1234,5"), ("en", "1,234,567", "1234.5")],
)
def test_numbers_are_grouped_only_where_asked(language: str, grouped: str, decimal: str) -> None:
    template = engines["django"].from_string("{{ n }} {{ year }} {{ n|floatformat:'0g' }}")
    with translation.override(language):
        assert formats.number_format(1234567, force_grouping=True) == grouped
        assert formats.number_format(Decimal("1234.5")) == decimal
        shown = template.render({"n": 1234567, "year": 2025})
    assert shown == f"1234567 2025 {grouped}"
