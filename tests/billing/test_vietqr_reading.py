"""Payloads that are read, and why others are refused."""

from binascii import crc_hqx
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.vietqr import VietQR, VietQRError, decode, encode

WHOM = {"bank_bin": "970436", "account_number": "1031933430"}
GUID, TO_ACCOUNT = "0010A000000727", "0208QRIBFTTA"
ANS = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


def tag(number: str, value: str) -> str:
    return f"{number}{len(value):02}{value}"


def sealed(*parts: str) -> str:
    """The parts with the CRC that fits them."""
    body = "".join(parts) + "6304"
    return f"{body}{crc_hqx(body.encode(), 0xFFFF):04X}"


WHOM_TAG = tag("01", tag("00", "970436") + tag("01", "1031933430"))
HEAD = ("000201", "010211")
ACCOUNT = tag("38", GUID + WHOM_TAG + TO_ACCOUNT)
GOOD = (*HEAD, ACCOUNT, "5303704", "5802VN")


def reason_of(payload: Any) -> str:
    with pytest.raises(VietQRError) as refused:
        decode(payload)
    assert str(refused.value).endswith(".")
    return refused.value.reason


@settings(max_examples=60)
@given(st.text() | st.text(ANS).map(sealed) | st.text("0123456789").map(sealed))
def test_rubbish_is_refused_with_a_reason(text: str) -> None:
    reason_of(text)


@pytest.mark.parametrize("payload", [None, 5, b"".join([GOOD[0].encode()]), "", " ", "63041D0F"])
def test_what_is_no_payload_is_refused(payload: Any) -> None:
    assert reason_of(payload) in {"text", "crc", "missing"}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda payload: payload + "\n", "text"),
        (lambda payload: " " + payload, "crc"),
        (lambda payload: payload + " ", "crc"),
        (lambda payload: payload + "5802VN", "crc"),
        (lambda payload: payload[:-4] + payload[-4:].lower(), "crc"),
        (lambda payload: payload.lower(), "crc"),
        (lambda payload: payload[:-1], "crc"),
        (lambda payload: payload[:-8], "crc"),
        (lambda payload: sealed(payload), "unknown"),
        (lambda payload: payload.replace("0", "０"), "text"),
        (lambda payload: payload.replace("0", "٠"), "text"),
        (lambda payload: sealed(*GOOD, *(tag(f"{n}", "x" * 60) for n in range(80, 90))), "text"),
    ],
)
def test_a_whole_payload_can_only_be_as_it_is(spoil: Any, reason: str) -> None:
    payload = encode(**WHOM, memo="KHCRC", one_time=True)
    assert payload[-4:] != payload[-4:].lower()
    assert reason_of(spoil(payload)) == reason


def account(*parts: str) -> str:
    return sealed(*HEAD, tag("38", "".join(parts)), "5303704", "5802VN")


def whom(bank_bin: str, number: str, service: str = TO_ACCOUNT) -> str:
    return account(GUID, tag("01", tag("00", bank_bin) + tag("01", number)), service)


def with_amount(amount: str) -> str:
    return sealed(*GOOD[:4], f"54{len(amount):02}{amount}", GOOD[4])


def with_purpose(purpose: str) -> str:
    return sealed(*GOOD, tag("62", purpose))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (sealed("000202", *GOOD[1:]), "format"),
        (sealed(*GOOD[1:]), "missing"),
        (sealed(GOOD[1], GOOD[0], *GOOD[2:]), "order"),
        (sealed("000201", "010213", *GOOD[2:]), "one_time"),
        (sealed("000201", *GOOD[2:]), "missing"),
        (sealed(*HEAD, "5303704", "5802VN"), "missing"),
        (sealed(*HEAD, ACCOUNT, ACCOUNT, *GOOD[3:]), "repeated"),
        (sealed(*HEAD, tag("26", "0010A000000775"), *GOOD[2:]), "unknown"),
        (sealed(*HEAD, ACCOUNT, tag("39", "x"), *GOOD[3:]), "unknown"),
        (sealed(*HEAD, tag("26", ACCOUNT[4:]), *GOOD[3:]), "missing"),
        (sealed(*HEAD, ACCOUNT, "5303840", "5802VN"), "currency"),
        (sealed(*HEAD, ACCOUNT, "5303VND", "5802VN"), "currency"),
        (sealed(*HEAD, ACCOUNT, "5802VN"), "missing"),
        (sealed(*HEAD, ACCOUNT, "5303704", "5802US"), "country"),
        (sealed(*HEAD, ACCOUNT, "5303704", "5802vn"), "country"),
        (sealed(*HEAD, ACCOUNT, "5303704"), "missing"),
        (sealed(*HEAD, ACCOUNT, "5802VN", "5303704"), "order"),
        (sealed(*GOOD, "5802VN"), "repeated"),
        (sealed(*GOOD[:4], "550201", GOOD[4]), "unknown"),
        (sealed(*GOOD, "6304ABCD"), "unknown"),
        (sealed(*GOOD, tag("70", "x")), "unknown"),
        (sealed(*GOOD, "5900"), "length"),
        (sealed(*GOOD, "6200"), "length"),
        (sealed(*GOOD, "5"), "length"),
        (sealed(*GOOD, "62x1a"), "length"),
        (sealed(*GOOD, "6001"), "length"),
        (sealed(*GOOD, tag("59", "x" * 26)), "name"),
        (sealed(*GOOD, tag("60", "x" * 16)), "value"),
        (sealed(*HEAD, ACCOUNT, "5204abcd", *GOOD[3:]), "value"),
    ],
)
def test_tags_of_a_payload_are_the_specifications(payload: str, reason: str) -> None:
    decode(sealed(*GOOD))
    assert reason_of(payload) == reason


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (account(tag("00", "A000000728"), WHOM_TAG, TO_ACCOUNT), "scheme"),
        (account(tag("00", "a000000727"), WHOM_TAG, TO_ACCOUNT), "scheme"),
        (account(WHOM_TAG, TO_ACCOUNT), "missing"),
        (account(GUID, TO_ACCOUNT), "missing"),
        (account(GUID, WHOM_TAG), "missing"),
        (account(WHOM_TAG, GUID, TO_ACCOUNT), "order"),
        (account(GUID, TO_ACCOUNT, WHOM_TAG), "order"),
        (account(GUID, WHOM_TAG, WHOM_TAG, TO_ACCOUNT), "repeated"),
        (account(GUID, WHOM_TAG, TO_ACCOUNT, tag("03", "x")), "unknown"),
        (account(GUID, WHOM_TAG, "0208QRPUSHXX"), "service"),
        (account(GUID, WHOM_TAG, "0208qribftta"), "service"),
        (account(GUID, tag("01", tag("01", "1031933430")), TO_ACCOUNT), "missing"),
        (account(GUID, tag("01", tag("00", "970436")), TO_ACCOUNT), "missing"),
        (account(GUID, tag("01", WHOM_TAG[4:] + tag("02", "x")), TO_ACCOUNT), "unknown"),
        (account(GUID, tag("01", WHOM_TAG[4:] + "9"), TO_ACCOUNT), "length"),
        (whom("97043", "1031933430"), "bank_bin"),
        (whom("9704366", "1031933430"), "bank_bin"),
        (whom("97O436", "1031933430"), "bank_bin"),
        (whom("970436", "1" * 20), "account_number"),
        (whom("970436", "1031 933430"), "account_number"),
        (whom("970436", "1031-933430"), "account_number"),
        (whom("970436", "1AM002500000239", "0208QRIBFTTC"), "card_number"),
    ],
)
def test_the_account_is_whole_and_napass(payload: str, reason: str) -> None:
    decode(whom("970436", "1AM002500000239"))
    assert decode(whom("970403", "9704031101234567", "0208QRIBFTTC")).to_card
    assert reason_of(payload) == reason


@pytest.mark.parametrize(
    "amount",
    [
        *("0", "00", "01", "-1", "+1", "1.0", "1000.00", "1000.", "1,000", "1e3", "1_000"),
        *(" 1", "1 ", "x", "1" * 14),
    ],
)
def test_amounts_are_whole_dong(amount: str) -> None:
    assert decode(with_amount("9999999999999")).amount == 9_999_999_999_999
    assert reason_of(with_amount(amount)) == "amount"


@pytest.mark.parametrize(
    ("purpose", "reason"),
    [
        (tag("08", "x" * 26), "memo"),
        ("0800", "length"),
        (tag("08", "a") + tag("08", "b"), "repeated"),
        (tag("08", "a") + tag("01", "b"), "order"),
        (tag("08", "a") + "x", "length"),
        (tag("00", "a"), "unknown"),
        (tag("10", "a"), "unknown"),
        (tag("01", "x" * 26), "bill_number"),
        (tag("07", "x" * 26) + tag("08", "a"), "value"),
        ("0809KHCRC", "length"),
    ],
)
def test_the_memo_is_one_of_at_most_25_characters(purpose: str, reason: str) -> None:
    assert decode(with_purpose(tag("08", "x" * 25))).memo == "x" * 25
    assert reason_of(with_purpose(purpose)) == reason


def test_tags_that_change_nothing_are_passed_over() -> None:
    """Category, name, city, postal code, terminal, another language, unreserved templates."""
    payload = sealed(
        *(*HEAD, ACCOUNT, "52045812", "5303704", "54041000", "5802VN", tag("59", "KITE")),
        *(tag("60", "HA NOI"), "610510000"),
        tag("62", tag("01", "B1") + tag("07", "T1") + tag("08", "KHCRC") + tag("50", "0001x")),
        *(tag("64", "0002VI0104KITE"), tag("80", "0001x")),
    )
    assert decode(payload) == VietQR(**WHOM, amount=1000, memo="KHCRC")
    assert decode(payload).name == "KITE"
    assert decode(with_purpose(tag("07", "T1"))).memo is None
