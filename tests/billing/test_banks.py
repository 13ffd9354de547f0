"""The list of banks, and how people look for theirs."""

import pytest

from billing.banks import BANKS, Bank, bank, find_banks


def test_every_bin_is_six_digits_and_there_once() -> None:
    assert len({bank.bin for bank in BANKS}) == len(BANKS) == 58
    for each in BANKS:
        assert each.bin.isascii()
        assert each.bin.isdigit()
        assert len(each.bin) == 6
        assert each.code.isalnum()
        assert each.short_name.strip() == each.short_name != ""
        assert bank(each.bin) is each


def test_the_plans_two_banks_are_not_confused() -> None:
    assert str(bank("970415")) == "VietinBank"
    assert str(bank("970436")) == "Vietcombank"


@pytest.mark.parametrize("bin", ["", "970999", "97043", " 970436", "９７０４３６", "VCB"])
def test_what_is_no_banks_bin_is_none(bin: str) -> None:
    assert bank(bin) is None


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("970436", "Vietcombank"),
        ("vcb", "Vietcombank"),
        ("ngoại thương", "Vietcombank"),
        ("ngoai thuong", "Vietcombank"),
        ("Quân đội", "MB Bank"),
        ("mbbank", "MB Bank"),
        ("MB", "MB Bank"),
        ("techcom", "Techcombank"),
        ("LienVietPostBank", "LPBank"),
        ("đông á", "Vikki Bank"),
        ("ocean bank", "MBV"),
        ("a chau", "ACB"),
        ("SC", "Standard Chartered Vietnam"),
    ],
)
def test_banks_are_found_as_people_write_them(text: str, first: str) -> None:
    assert str(find_banks(text)[0]) == first


def test_nothing_finds_all_and_nonsense_none() -> None:
    everyone: list[Bank] = find_banks("")
    assert everyone == list(BANKS)
    assert find_banks("...") == list(BANKS)
    assert find_banks("xyzzy") == []
    assert find_banks("970436 xyzzy") == []
