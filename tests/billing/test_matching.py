"""Codes are found in what banks make of memos, and nothing else is taken for one."""

import json
import unicodedata
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.matching import order_codes, order_codes_in
from billing.order_codes import ALPHABET, draw_code, is_code

SAMPLES = json.loads((Path(__file__).parent / "vectors" / "memo-samples.json").read_text())
CODES = st.integers(0).map(lambda seed: draw_code(Random(seed).choice))  # noqa: S311
# No two of them begin or end in a way that a K or an H beside would make a code of.
FIRST, SECOND, THIRD = "KHA7Q2M4XP", "KH9TWD56YG", "KHG4B8NR2V"
# What people write beside a code.
ASIDE = (
    "",
    "CT tu 0123499999 NGUYEN VAN A toi 1031933430 CONG TY KITE tai VCB",
    "học phí tháng 9 cho con, cảm ơn thầy cô!",
    "FT24364030863634",
    "Khách hàng chuyển khoản - KHÁNH HUYỀN",
)


def spoilt(code: str) -> str:
    """The code with its last character another."""
    return code[:-1] + ALPHABET[ALPHABET.index(code[-1]) - 1]


@pytest.fixture(scope="module", autouse=True)
def _codes_are_codes() -> None:
    assert all(map(is_code, (FIRST, SECOND, THIRD)))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["note"][:20])
def test_memos_as_banks_deliver_them(sample: dict[str, str]) -> None:
    """The samples' own code stands for any."""
    memo, paid = sample["text"], "inbox" not in sample["note"]
    for written in ("KH7Q2M4X9A", "KH7Q2 M4X9A"):
        code = FIRST[:5] + written[5:-5] + FIRST[5:]
        memo = memo.replace(written, code).replace(written.lower(), code.lower())
    assert order_codes(memo) == ([FIRST] if paid else [])
    assert order_codes(memo.replace(FIRST[-3:], "222").replace("4xp", "222")) == []


@pytest.mark.parametrize(
    "written",
    [
        "{0}",
        "{0}{0}",
        "{0}.{0}",
        "KITEHUB {0} chi.lan@example.vn",
        "MBVCB.3278907687.{0}.CT tu 0123499999",
        "FT24364030863634{0}CT",
        "3278907687{0}",
        "abc{0}xyz",
        "Học phí {0}-cảm ơn",
        "(#{0})",
        "{0}\r\n",
        "KH {0}",
        "KHKH {0}",
        "K{0}H",
        "KH" * 40 + " {0} " + "KH" * 40,
    ],
)
def test_a_code_is_found_whatever_is_around_it(written: str) -> None:
    assert order_codes(written.format(FIRST)) == [FIRST]
    assert order_codes(written.format(FIRST).lower()) == [FIRST]


@pytest.mark.parametrize(
    "split", [" ", "\n", "\r\n", ".", "-", "  ", "_", "/", "\u00a0", " - ", "–"]
)
@pytest.mark.parametrize("places", [(1,), (2,), (5,), (9,), (2, 6), (1, 2), tuple(range(1, 10))])
def test_a_split_code_is_put_together(places: tuple[int, ...], split: str) -> None:
    parts = (FIRST[a:b] for a, b in zip((0, *places), (*places, 10), strict=True))
    memo = split.join(parts)
    assert order_codes(memo) == [FIRST]
    assert order_codes(f"CK: {memo}, NGUYEN VAN A") == [FIRST]


def test_a_line_that_breaks_within_a_glued_code_is_mended() -> None:
    assert order_codes(f"MBVCB123{FIRST[:6]}\n{FIRST[6:]}CT tu 0123") == [FIRST]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_other_widths_and_invisible_characters_are_seen_through(form: str) -> None:
    code = draw_code(Random(8).choice).replace("KH", "", 1)  # noqa: S311
    memo = unicodedata.normalize(form, f"Nguyễn Văn Đức ḰH{code} nộp học phí")
    assert order_codes(memo) == [f"KH{code}"]
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in FIRST)
    assert order_codes(f"{wide}、{wide.lower()}") == [FIRST]
    assert order_codes("\u200b".join(FIRST)) == [FIRST]
    with_d = next(c for c in (draw_code(Random(n).choice) for n in range(99)) if "D" in c)  # noqa: S311
    assert order_codes(with_d.replace("D", "Đ")) == [with_d]
    assert order_codes(with_d.lower().replace("d", "đ")) == [with_d]


def test_several_codes_come_in_the_texts_order() -> None:
    for between in (" ", ",", " va ", "\n", "", "x"):
        memo = between.join((SECOND, FIRST, THIRD))
        assert order_codes(memo) == [SECOND, FIRST, THIRD]
        assert set(order_codes(f"tra{memo}tien".lower())) == {SECOND, FIRST, THIRD}


def test_the_surer_code_comes_first() -> None:
    split = SECOND[:4] + " " + SECOND[4:]
    spaced = " ".join(SECOND)
    misread = THIRD.replace("2", "Z")
    assert order_codes(f"{split}, {FIRST}") == [FIRST, SECOND]
    assert order_codes(f"x{SECOND}x, {FIRST}") == [FIRST, SECOND]
    assert order_codes(f"{split}, x{FIRST}x") == [FIRST, SECOND]
    assert order_codes(f"{spaced}, {FIRST[:5]} {FIRST[5:]}") == [FIRST, SECOND]
    assert order_codes(f"{misread}, {spaced}") == [SECOND, THIRD]


@pytest.mark.parametrize(
    ("right", "typed"), [("Q", "O"), ("D", "0"), ("J", "I"), ("7", "1"), ("7", "l"), ("2", "z")]
)
def test_look_alikes_are_read_only_where_the_check_character_agrees(right: str, typed: str) -> None:
    random = Random(right + typed)  # noqa: S311
    codes = [draw_code(random.choice) for _ in range(200)]
    for code in (code for code in codes if 1 <= code[2:].count(right) <= 2):
        memo = f"ck {code.replace(right, typed)} cam on"
        assert code in order_codes(memo)
        assert all(map(is_code, order_codes(memo)))
        assert order_codes(memo.replace(" cam", "cam")) == []
    assert order_codes("KHOOIISSZZ") == []


def test_fields_of_one_notice_are_read_together() -> None:
    split = f"{FIRST[:4]} {FIRST[4:]}"
    assert order_codes_in([split, None, "", f"ck {SECOND}"]) == [SECOND, FIRST]
    assert order_codes_in([split, f"ck {SECOND}", FIRST.lower()]) == [SECOND, FIRST]
    assert order_codes_in(iter([])) == order_codes_in([None]) == []


@pytest.mark.parametrize(
    "text",
    [
        "NGUYEN VAN A chuyen tien",
        "KHACH HANG NGUYEN THI KHANH chuyen khoan hoc phi",
        "KHACHHANGNGUYENTHIKHANHCHUYENKHOANHOCPHI",
        "Khoá học Khoa học tự nhiên KHTN, khối 10, khu phố 4",
        "Ma KH 12345678 thanh toan tien dien",
        "KH23456789",
        "KH: 0123456789",
        "KH00000042",
        "FT24364030863634 MBVCB.3278907687.0123",
        "KITEHUB KH42 chi.lan@example.vn",
        f"{FIRST[:-1]}",
        f"{FIRST[1:]}",
        spoilt(FIRST),
        FIRST[:4] + " va " + FIRST[4:],
    ],
)
def test_prose_and_references_are_no_codes(text: str) -> None:
    assert order_codes(text) == []


@settings(max_examples=100)
@given(CODES, st.sampled_from(ASIDE), st.sampled_from(ASIDE), st.sampled_from(["", " ", ".", "\n"]))
def test_the_code_is_among_the_first_whatever_code_it_is(
    code: str, before: str, after: str, between: str
) -> None:
    found = order_codes(f"{before}{between}{code}{between}{after}")
    assert code in found[:2]
    if between or not (before or after):
        assert found[0] == code


@settings(max_examples=100)
@given(st.text(max_size=60) | st.text("KHkh 27AX0OI.\n", max_size=60))
def test_whatever_is_found_is_a_code_and_there_once(text: str) -> None:
    found = order_codes(text)
    assert all(map(is_code, found))
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "rubbish",
    [
        *("KH", "K", "K H ", " ", "KH2O", "KH2O1 ", "\u0300\u0316", "đ", FIRST, f"{FIRST} "),
        *("KH" + " " * 50, "K" + " " * 99 + "H", ".K.H.7.Q.2.M.4"),
    ],
)
def test_rubbish_of_any_length_is_read_to_its_end(rubbish: str) -> None:
    """More than linear time would be minutes here."""
    assert set(order_codes(rubbish * (100_000 // len(rubbish)) + f", {FIRST}")) == {FIRST}
