"""Months are Vietnam's calendar months, by the day on which they began."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import settings as few
from hypothesis import strategies as st

from billing.months import HANOI, add_months, months_between
from tests.billing.timelines import day

ANCHORS = st.builds(
    lambda minutes, zone: (day(1, 1, year=2020) + timedelta(minutes=minutes)).astimezone(zone),
    st.integers(0, 20 * 365 * 24 * 60),
    st.sampled_from([UTC, HANOI]),
)


@pytest.mark.parametrize(
    ("months", "expected"),
    [(0, (1, 31)), (1, (2, 28)), (2, (3, 31)), (3, (4, 30)), (11, (12, 31)), (-2, (11, 30))],
)
def test_a_thirty_first_is_the_last_day_of_a_short_month_and_itself_again(
    months: int, expected: tuple[int, int]
) -> None:
    year = 2026 if months >= 0 else 2025
    assert add_months(day(1, 31), months) == day(*expected, year=year)


def test_leap_years_have_their_day() -> None:
    assert add_months(day(1, 31, year=2028), 1) == day(2, 29, year=2028)
    assert add_months(day(2, 29, year=2028), 12) == day(2, 28, year=2029)
    assert add_months(day(2, 29, year=2028), 48) == day(2, 29, year=2032)


def test_no_day_is_lost_where_utc_has_another_date() -> None:
    # 00:30 on 1 March in Vietnam is still 28 February in UTC.
    anchor = datetime(2026, 2, 28, 17, 30, tzinfo=UTC)
    assert add_months(anchor, 1) == datetime(2026, 3, 31, 17, 30, tzinfo=UTC)


@given(ANCHORS, st.integers(-60, 60))
@few(max_examples=100)
def test_time_of_day_is_kept_and_the_day_lies_in_its_month(anchor: datetime, months: int) -> None:
    found = add_months(anchor, months)
    here, there = anchor.astimezone(HANOI), found.astimezone(HANOI)
    assert found.tzinfo is UTC
    assert there.time() == here.time()
    assert (there.year - here.year) * 12 + there.month - here.month == months
    assert there.day == min(here.day, monthrange(there.year, there.month)[1])


@given(ANCHORS, st.integers(-30, 30), st.integers(0, 30))
@few(max_examples=50)
def test_months_between_counts_what_add_months_adds(
    anchor: datetime, first: int, more: int
) -> None:
    start, end = add_months(anchor, first), add_months(anchor, first + more)
    assert months_between(start, end, anchor=anchor) == more
    middle = start + (end - start) / 2
    parts = [
        months_between(start, middle, anchor=anchor),
        months_between(middle, end, anchor=anchor),
    ]
    assert sum(parts) == more


def test_part_of_a_month_is_its_share_of_that_month() -> None:
    found = months_between(day(2, 1), day(2, 8), anchor=day(1, 1))
    assert found == Fraction(7, 28)
    assert months_between(day(3, 1), day(3, 8), anchor=day(1, 1)) == Fraction(7, 31)
    assert months_between(day(2, 1), day(2, 1) + timedelta(seconds=1), anchor=day(1, 1)) > 0
