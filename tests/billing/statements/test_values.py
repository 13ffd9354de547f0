"""Amounts and dates are read as Vietnamese banks write them, or not at all."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.statements.files import Odd
from billing.statements.values import BadCell, read_amount, read_moment, text_of

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1.234.567", 1234567), ("1,234,567.00", 1234567), ("1.234.567,00", 1234567),
        ("1 234 567 VND", 1234567), ("1\u00a0234\u202f567 ₫", 1234567), ("1'234'567", 1234567),
        ("(500)", -500), ("(1.500đ)", -1500), ("+500", 500), ("-500", -500), ("\u2212500", -500),
        ("500-", -500), ("500", 500), ("500.000", 500000), ("500,000", 500000), ("1.00", 1),
        ("1234.0", 1234), ("1234,00", 1234), ("VND 5.000", 5000), ("5.000 VNĐ", 5000), ("0", 0),
        ("0.00", 0), ("0,000", 0), ("", None), ("-", None), ("  ", None), (None, None),
        (500000, 500000), (500000.0, 500000), (-20000, -20000),
        ("9.999.999.999.999", 9999999999999),
        ("00500", 500), ("５００", 500), ('"500"', 500),
    ],
)  # fmt: skip
def test_amounts_are_read(cell: Any, amount: int | None) -> None:
    assert read_amount(cell) == amount


@pytest.mark.parametrize(
    "cell",
    [
        "1.5", "1,234.56", "1.234,5", 0.5, "0.500", "1.234.56", "1.2345.678", "1,234.567",
        "12.34.567", "10.000.000.000.000", 10**13, 1e300, float("nan"), float("inf"), "NaN", "abc",
        "1e5", "=1+1", "--5", "5 USD", True, Odd.FORMULA, Odd.ERROR, date(2024, 1, 1), time(1),
        timedelta(1), "1" * 30, "1.234 567", "()", "+", "12/3", "１.５",
    ],
)  # fmt: skip
def test_what_is_no_whole_amount_is_refused(cell: Any) -> None:
    with pytest.raises(BadCell):
        read_amount(cell)


@given(st.integers(-9_999_999_999_999, 9_999_999_999_999), st.sampled_from(",.' "))
@settings(max_examples=60)
def test_every_grouping_of_an_amount_is_that_amount(amount: int, separator: str) -> None:
    assert read_amount(f"{amount:,}".replace(",", separator)) == amount


@given(st.text(max_size=12) | st.floats() | st.integers())
@settings(max_examples=100)
def test_no_cell_is_more_than_refused(cell: Any) -> None:
    for read in (read_amount, read_moment):
        try:
            read(cell)  # type: ignore[operator]
        except BadCell as bad:
            text_of(str(bad.reason))


@pytest.mark.parametrize(
    ("cell", "moment", "has_time", "rest"),
    [
        ("25/03/2023", (2023, 3, 25), False, ""), ("5/3/2023", (2023, 3, 5), False, ""),
        ("25-03-2023 14:02:37", (2023, 3, 25, 14, 2, 37), True, ""),
        ("25.03.2023 14:02", (2023, 3, 25, 14, 2), True, ""),
        ("25/03/23 2:02 PM", (2023, 3, 25, 14, 2), True, ""),
        ("25/03/2023 12:05:00 AM", (2023, 3, 25, 0, 5), True, ""),
        ("14:02:37 25/03/2023", (2023, 3, 25, 14, 2, 37), True, ""),
        ("2023-03-25", (2023, 3, 25), False, ""),
        ("2023-03-25T14:02:37.123", (2023, 3, 25, 14, 2, 37), True, ""),
        ("2023/03/25, 14:02:37", (2023, 3, 25, 14, 2, 37), True, ""),
        ("'25/03/2023", (2023, 3, 25), False, ""),
        ("31/10/2023\n5243.65937", (2023, 10, 31), False, "5243.65937"),
        ("25/03/2023 14:02:37 - FT1", (2023, 3, 25, 14, 2, 37), True, "FT1"),
        (datetime(2023, 3, 25, 14, 2), (2023, 3, 25, 14, 2), True, ""),  # noqa: DTZ001
        (datetime(2023, 3, 25), (2023, 3, 25), False, ""),  # noqa: DTZ001
        (date(2023, 3, 25), (2023, 3, 25), False, ""), (45010, (2023, 3, 25), False, ""),
        (45010.5, (2023, 3, 25, 12), True, ""),
    ],
)  # fmt: skip
def test_moments_are_read(cell: Any, moment: tuple[int, ...], has_time: bool, rest: str) -> None:
    assert read_moment(cell) == (datetime(*moment, tzinfo=VIETNAM), has_time, rest)  # type: ignore[arg-type,misc]


def test_a_moment_with_a_zone_and_a_month_that_comes_first() -> None:
    found = read_moment("2023-03-25T07:02:37Z")
    assert found
    assert found[0] == datetime(2023, 3, 25, 7, 2, 37, tzinfo=UTC)
    assert read_moment("3/25/2023", month_first=True) == (
        datetime(2023, 3, 25, tzinfo=VIETNAM), False, "",
    )  # fmt: skip
    assert read_moment("") is None
    assert read_moment(None) is None


@pytest.mark.parametrize(
    "cell",
    ["3/25/2023", "30/02/2023", "25/03/1999", "25/03/2100", "25/03/202", "25/03/2023 25:00",
     "25/03/2023 13:00 PM", "Tổng 25/03/2023", "abc", 5, 1e9, True, "1/1", Odd.FORMULA, Odd.ERROR,
     time(1), "2023-03-25T07:02:37+99:00", float("nan")],
)  # fmt: skip
def test_what_is_no_moment_is_refused(cell: Any) -> None:
    with pytest.raises(BadCell):
        read_moment(cell)
