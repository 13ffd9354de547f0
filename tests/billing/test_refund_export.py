"""The file of refunds for the bank: what was approved, and nothing that a spreadsheet would run."""

import csv
from dataclasses import replace
from io import StringIO

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.refund_export import Payout, payouts_csv

PAYOUT = Payout(
    payee_name="NGUYEN THI HOANG YEN",
    account_number="0071000123456",
    bank_bin="970436",
    bank_name="Vietcombank",
    amount=599_000,
    memo="KiteHub hoàn tiền đơn KH7F3K9M2P",
)


def cells(*payouts: Payout) -> list[list[str]]:
    return list(csv.reader(StringIO(payouts_csv(payouts).decode("utf-8-sig"), newline="")))


def test_a_line_for_each_refund_as_the_bank_takes_it() -> None:
    head, first, second = cells(PAYOUT, replace(PAYOUT, amount=9_999_999_999_999))
    assert len(head) == len(first)
    assert first == [
        "1",
        "NGUYEN THI HOANG YEN",
        "0071000123456",
        "970436",
        "Vietcombank",
        "599000",
        "KITEHUB HOAN TIEN DON KH7F3K9M2P",
    ]
    assert second[5] == "9999999999999"
    assert payouts_csv([PAYOUT]).startswith(b"\xef\xbb\xbf")
    with translation.override("en"):
        assert cells()[0][1] == "Account holder"


@pytest.mark.parametrize(
    "name", ["=1+1", "+84", "-2", "@SUM(A1)", "\t=1", "\r\n=cmd|' /C calc'!A0", "＝1", "  =1"]
)
def test_no_cell_is_a_formula(name: str) -> None:
    (_, line) = cells(replace(PAYOUT, payee_name=name, bank_name=name, memo=name))
    assert line[1][0] == line[4][0] == "'"
    assert not line[6] or line[6][0].isalnum()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_any_name_is_one_cell_of_one_line(name: str) -> None:
    (_, line) = cells(replace(PAYOUT, payee_name=name, memo=name))
    assert line[2:6] == ["0071000123456", "970436", "Vietcombank", "599000"]
    assert not line[1].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert line[6] == "" or line[6].isascii()
