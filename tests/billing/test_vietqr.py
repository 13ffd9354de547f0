"""VietQR payloads: written to the byte, and read again."""

import json
from dataclasses import FrozenInstanceError, asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qr_pay import QRPay

from billing.vietqr import VietQR, VietQRError, decode, encode

_VECTORS = Path(__file__).parent / "vectors"
VECTORS = json.loads((_VECTORS / "vietqr-vectors.json").read_text())
INVALID = json.loads((_VECTORS / "vietqr-invalid.json").read_text())

WHOM = {"bank_bin": "970436", "account_number": "1031933430"}
ANS = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
REQUESTS = st.builds(
    dict,
    bank_bin=st.text("0123456789", min_size=6, max_size=6),
    account_number=st.text("0123456789", min_size=1, max_size=19),
    amount=st.none() | st.integers(1, 10**13 - 1),
    memo=st.none() | st.text(ANS, min_size=1, max_size=25),
    one_time=st.booleans(),
    to_card=st.booleans(),
)


def refusal(payload: str) -> str:
    with pytest.raises(VietQRError) as refused:
        decode(payload)
    return refused.value.reason


def asked(vector: dict[str, Any]) -> dict[str, Any]:
    return {
        "bank_bin": vector["bank_bin"],
        "account_number": vector["account_number"],
        "amount": vector["amount"],
        "memo": vector["purpose"],
        "one_time": vector["dynamic"],
        "to_card": vector["service"] == "QRIBFTTC",
    }


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["note"])
def test_vectors_are_written_and_read_to_the_byte(vector: dict[str, Any]) -> None:
    payload = vector["payload"]
    read = decode(payload)
    assert read == VietQR(**asked(vector))
    assert encode(**asdict(read)) == payload
    if read.bill_number is read.name is None:
        assert encode(**asked(vector)) == payload


def test_what_banks_put_in_beside_is_kept() -> None:
    beside = [(qr.bill_number, qr.name) for qr in (decode(v["payload"]) for v in VECTORS)]
    assert [pair for pair in beside if any(pair)] == [("NPS6869", None), (None, "MBCHILDB")]


@pytest.mark.parametrize(("vector", "reason"), list(zip(INVALID, ["length", "crc"], strict=True)))
def test_invalid_vectors_are_refused(vector: dict[str, Any], reason: str) -> None:
    assert refusal(vector["payload"]) == reason


@settings(max_examples=60)
@given(REQUESTS)
def test_what_is_written_is_read_again(request: dict[str, Any]) -> None:
    assert asdict(decode(encode(**request))) == request | {"bill_number": None, "name": None}


@settings(max_examples=40)
@given(REQUESTS)
def test_another_library_writes_the_same(request: dict[str, Any]) -> None:
    other = QRPay(
        bin_id=request["bank_bin"],
        consumer_id=request["account_number"],
        transaction_amount=request["amount"],
        purpose_of_transaction=request["memo"],
        point_of_initiation_method="DYNAMIC" if request["one_time"] else "STATIC",
        service_code="CARD" if request["to_card"] else "ACCOUNT",
    )
    assert encode(**request) == other.code


@pytest.mark.parametrize("vector", [VECTORS[0], VECTORS[7], VECTORS[8], VECTORS[10]])
def test_no_single_character_can_change(vector: dict[str, Any]) -> None:
    payload = vector["payload"]
    for at, right in enumerate(payload):
        for wrong in {*"0123456789ABCDEFabcdefKN .", right.swapcase()} - {right}:
            refusal(payload[:at] + wrong + payload[at + 1 :])
        refusal(payload[:at] + payload[at + 1 :])
        refusal(payload[:at] + right + payload[at:])


@pytest.mark.parametrize(
    "wrong",
    [
        *(
            {"bank_bin": value}
            for value in (None, 970436, "", "97043", " 970436", "97043６", "VCB")
        ),
        *({"account_number": value} for value in (None, 1, "", "1" * 20, "1 2", "1.2", "é", "٣")),
        *({"amount": value} for value in (0, -1, 10**13, True, 1.0, Decimal(1), "1")),
        *({"memo": value} for value in ("", "x" * 26, "Học phí", "a\nb", "a\x00", b"a", 5)),
        *({"name": value} for value in ("", "x" * 26, "Trường")),
        *({"bill_number": value} for value in ("", "x" * 26)),
        *({flag: value} for flag in ("one_time", "to_card") for value in (None, 1, "yes")),
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_what_no_payload_can_say_is_not_written(wrong: dict[str, Any]) -> None:
    for write in (encode, VietQR):
        with pytest.raises(VietQRError) as refused:
            write(**WHOM | wrong)  # type: ignore[operator]
        assert [refused.value.reason] == list(wrong)


def test_numbers_too_long_to_print_are_refused_like_any() -> None:
    with pytest.raises(VietQRError) as refused:
        encode(**WHOM, amount=10**5000)
    assert refused.value.reason == "amount"


def test_a_card_has_digits_only() -> None:
    with pytest.raises(VietQRError, match="card number") as refused:
        encode(bank_bin="970403", account_number="97040311O1234567", to_card=True)
    assert refused.value.reason == "card_number"


def test_what_was_read_stays_as_it_was() -> None:
    with pytest.raises(FrozenInstanceError):
        decode(VECTORS[0]["payload"]).amount = 5  # type: ignore[misc]
