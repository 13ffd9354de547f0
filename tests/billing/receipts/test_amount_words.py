"""Amounts are read aloud as a Vietnamese accountant would, and each amount in one way only."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.receipts.amount_words import MOST, amount_in_words

VIETNAMESE = {
    0: "Không đồng",
    1: "Một đồng",
    4: "Bốn đồng",
    5: "Năm đồng",
    10: "Mười đồng",
    11: "Mười một đồng",
    14: "Mười bốn đồng",
    15: "Mười lăm đồng",
    20: "Hai mươi đồng",
    21: "Hai mươi mốt đồng",
    24: "Hai mươi tư đồng",
    25: "Hai mươi lăm đồng",
    91: "Chín mươi mốt đồng",
    100: "Một trăm đồng",
    101: "Một trăm linh một đồng",
    104: "Một trăm linh bốn đồng",
    105: "Một trăm linh năm đồng",
    110: "Một trăm mười đồng",
    115: "Một trăm mười lăm đồng",
    555: "Năm trăm năm mươi lăm đồng",
    1_000: "Một nghìn đồng",
    1_001: "Một nghìn không trăm linh một đồng",
    1_010: "Một nghìn không trăm mười đồng",
    1_055: "Một nghìn không trăm năm mươi lăm đồng",
    21_000: "Hai mươi mốt nghìn đồng",
    299_000: "Hai trăm chín mươi chín nghìn đồng",
    599_000: "Năm trăm chín mươi chín nghìn đồng",
    1_005_000: "Một triệu không trăm linh năm nghìn đồng",
    1_299_000: "Một triệu hai trăm chín mươi chín nghìn đồng",
    1_000_005: "Một triệu không trăm linh năm đồng",
    10_000_000: "Mười triệu đồng",
    21_021_021: "Hai mươi mốt triệu không trăm hai mươi mốt nghìn không trăm hai mươi mốt đồng",
    1_000_000_000: "Một tỷ đồng",
    1_000_500_000: "Một tỷ năm trăm nghìn đồng",
    2_024_000_000: "Hai tỷ không trăm hai mươi tư triệu đồng",
    15_000_000_001: "Mười lăm tỷ không trăm linh một đồng",
    1_000_000_000_000: "Một nghìn tỷ đồng",
    1_005_000_000_000: "Một nghìn không trăm linh năm tỷ đồng",
    9_876_543_210_123: (
        "Chín nghìn tám trăm bảy mươi sáu tỷ năm trăm bốn mươi ba triệu hai trăm mười nghìn"
        " một trăm hai mươi ba đồng"
    ),
}
ENGLISH = {
    0: "Zero Vietnamese dong",
    13: "Thirteen Vietnamese dong",
    40: "Forty Vietnamese dong",
    121: "One hundred twenty-one Vietnamese dong",
    299_000: "Two hundred ninety-nine thousand Vietnamese dong",
    1_005_000: "One million five thousand Vietnamese dong",
    2_000_000_019: "Two billion nineteen Vietnamese dong",
    9_000_000_000_300: "Nine trillion three hundred Vietnamese dong",
}
DIGITS = {
    "không": 0,
    "một": 1,
    "mốt": 1,
    "hai": 2,
    "ba": 3,
    "bốn": 4,
    "tư": 4,
    "năm": 5,
    "lăm": 5,
    "sáu": 6,
    "bảy": 7,
    "tám": 8,
    "chín": 9,
}


@pytest.mark.parametrize(("amount", "words"), VIETNAMESE.items())
def test_vietnamese(amount: int, words: str) -> None:
    assert amount_in_words(amount, language="vi") == words


@pytest.mark.parametrize(("amount", "words"), ENGLISH.items())
def test_english(amount: int, words: str) -> None:
    assert amount_in_words(amount, language="en") == words


def read_aloud(words: list[str]) -> int:
    """The number that Vietnamese words mean, by a reader that knows nothing of the writer."""
    if "tỷ" in words:
        at = words.index("tỷ")
        return read_aloud(words[:at]) * 10**9 + read_aloud(words[at + 1 :])
    total = group = digit = 0
    for word in words:
        if word in DIGITS:
            digit = DIGITS[word]
        elif word == "trăm":
            group, digit = digit * 100, 0
        elif word == "mười":
            group += 10
        elif word == "mươi":
            group, digit = group + digit * 10, 0
        elif word in {"nghìn", "triệu"}:
            total += (group + digit) * {"nghìn": 10**3, "triệu": 10**6}[word]
            group = digit = 0
        else:
            assert word == "linh", word
    return total + group + digit


@settings(max_examples=100, deadline=None)
@given(st.integers(0, MOST) | st.integers(0, 10**7))
def test_words_mean_their_amount(amount: int) -> None:
    words = amount_in_words(amount, language="vi").lower().split()
    assert words[-1] == "đồng"
    assert read_aloud(words[:-1]) == amount


@pytest.mark.parametrize("amount", [-1, MOST + 1])
def test_amount_that_no_bank_moves_is_refused(amount: int) -> None:
    with pytest.raises(ValueError, match="amount"):
        amount_in_words(amount, language="vi")
