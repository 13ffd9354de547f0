"""Amounts are read as people write them, and nothing else is taken for one."""

import pytest
from django import forms

from kitehub.backoffice.amounts import MOST, parse_amount
from kitehub.backoffice.forms import AmountField


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("299000", 299_000),
        ("299.000", 299_000),
        ("299,000", 299_000),
        ("299 000", 299_000),
        ("299.000 ₫", 299_000),
        ("299.000\u00a0₫", 299_000),
        ("299.000đ", 299_000),
        ("299000 VND", 299_000),
        ("1.299.000 đồng", 1_299_000),
        ("299k", 299_000),
        ("299 K", 299_000),
        ("1,5tr", 1_500_000),
        ("1.5 triệu", 1_500_000),
        ("1tr5", 1_500_000),
        ("2tr250", 2_250_000),
        ("1 triệu 5", 1_500_000),
        ("1tr05", 1_050_000),
        ("1tr500k", 1_500_000),
        ("1 triệu 50 nghìn", 1_050_000),
        ("500k", 500_000),
        ("2k5", 2_500),
        ("2 nghìn", 2_000),
        ("-299.000", -299_000),
        ("0", 0),
    ],
)
def test_an_amount_is_read(text: str, amount: int) -> None:
    assert parse_amount(text) == amount


@pytest.mark.parametrize(
    "text",
    ["", "₫", "-", "k", "12.34", "1.2.3", "299.000,00", "1.000,000", "KH299000", "٢٩٩", "1e5",
     "9" * 40, str(MOST + 1), "1" + ".000" * 12, "1,2345tr", "12a", "0x10", "tr",
     "tr5", "1tr2345", "1k5k", "1,5tr5", "1tr5tr"],
)  # fmt: skip
def test_what_is_no_amount_is_none(text: str) -> None:
    assert parse_amount(text) is None


@pytest.mark.parametrize("text", ["500000", "500.000", "500,000 ₫", "500k", " 500 000 "])
def test_a_field_takes_no_thousands_for_decimals(text: str) -> None:
    assert AmountField().clean(text) == 500_000
    # Django's own does, and 500.000 ₫ would be 500 ₫.
    assert forms.IntegerField().clean("500.000") == 500


@pytest.mark.parametrize("text", ["500.00", "abc", "-1", "0", "", "9" * 20])
def test_a_field_refuses_what_is_no_amount(text: str) -> None:
    with pytest.raises(forms.ValidationError):
        AmountField(min_value=1).clean(text)


def test_a_field_that_may_be_empty_says_so() -> None:
    assert AmountField(required=False).clean("") is None
