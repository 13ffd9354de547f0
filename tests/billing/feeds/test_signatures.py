"""A body is believed only from who can prove to be the service, and only in time."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from billing.feeds import Refused, Secrets, casso, payos, sepay
from tests.billing.feeds.bodies import AT, body, headers, hexed, published

SEPAY = published("SePay", 1)
RAW = SEPAY["raw_body"].encode()
SIGNED = Secrets(signing_keys=("another", SEPAY["secret_made_here"]))
PAYOS = published("payOS")
PAYOS_SECRETS = Secrets(signing_keys=("another", PAYOS["checksum_key_published_sample"]))
CASSO = published("Casso V2", 1)
CASSO_SECRETS = Secrets(signing_keys=("another", CASSO["key_published_sample"]))
CASSO_AT = datetime.fromtimestamp(1727948258.788, tz=AT.tzinfo)


def refusal(feed: Any, sent: Any, raw: bytes, secrets: Secrets, at: datetime = AT) -> tuple:
    with pytest.raises(Refused) as refused:
        feed.verify(sent, raw, secrets, at)
    return refused.value.code, refused.value.status


def test_published_signatures_are_taken() -> None:
    sepay.verify(headers(**renamed(SEPAY)), RAW, SIGNED, AT)
    payos.verify(headers(), body(PAYOS["payload"]), PAYOS_SECRETS, AT)
    casso.verify(headers(**renamed(CASSO)), body(CASSO["payload"]), CASSO_SECRETS, CASSO_AT)


def renamed(vector: dict[str, Any]) -> dict[str, str]:
    return {name.replace("-", "_"): text for name, text in vector["header"].items()}


def test_a_changed_body_is_refused() -> None:
    assert refusal(sepay, headers(**renamed(SEPAY)), RAW + b" ", SIGNED) == (
        "signature_wrong", 403,
    )  # fmt: skip
    forged = json.loads(json.dumps(PAYOS["payload"]))
    forged["data"]["amount"] = 3001
    assert refusal(payos, headers(), body(forged), PAYOS_SECRETS) == ("signature_wrong", 403)
    # A field that nobody knows is signed like the others.
    more = json.loads(json.dumps(PAYOS["payload"]))
    more["data"]["new"] = "x"
    assert refusal(payos, headers(), body(more), PAYOS_SECRETS) == ("signature_wrong", 403)
    forged = json.loads(json.dumps(CASSO["payload"]))
    forged["data"]["amount"] = 599001
    sent = headers(**renamed(CASSO))
    assert refusal(casso, sent, body(forged), CASSO_SECRETS, CASSO_AT) == ("signature_wrong", 403)


def test_a_signature_under_another_key_is_refused() -> None:
    other = Secrets(signing_keys=("another",))
    assert refusal(sepay, headers(**renamed(SEPAY)), RAW, other)[1] == 403
    assert refusal(payos, headers(), body(PAYOS["payload"]), other)[1] == 403
    sent = headers(**renamed(CASSO))
    assert refusal(casso, sent, body(CASSO["payload"]), other, CASSO_AT)[1] == 403


@pytest.mark.parametrize(
    ("late", "code"),
    [
        (timedelta(minutes=5), ""), (timedelta(minutes=5, seconds=1), "signature_stale"),
        (-timedelta(minutes=5), ""),
        (-timedelta(minutes=5, seconds=1), "signature_from_the_future"),
    ],
)  # fmt: skip
def test_sepays_signature_holds_for_five_minutes(late: timedelta, code: str) -> None:
    sent = headers(**renamed(SEPAY))
    if code:
        assert refusal(sepay, sent, RAW, SIGNED, AT + late) == (code, 403)
    else:
        sepay.verify(sent, RAW, SIGNED, AT + late)


def test_a_stamp_in_milliseconds_is_the_same_moment() -> None:
    stamp = "1760000000000"
    signature = "sha256=" + hexed(SEPAY["secret_made_here"], f"{stamp}.".encode() + RAW, "sha256")
    sent = headers(X_SePay_Timestamp=stamp, X_SePay_Signature=signature)
    sepay.verify(sent, RAW, SIGNED, AT)
    assert refusal(sepay, sent, RAW, SIGNED, AT + timedelta(minutes=6))[0] == "signature_stale"


@pytest.mark.parametrize("stamp", ["", "x", "-1760000000", "1760000000.5", "١٧٦", "9" * 14])
def test_a_stamp_that_is_none_is_refused(stamp: str) -> None:
    sent = headers(X_SePay_Timestamp=stamp, X_SePay_Signature=SEPAY["header"]["X-SePay-Signature"])
    assert refusal(sepay, sent, RAW, SIGNED) == ("timestamp_unreadable", 401)


def test_cassos_signature_goes_stale() -> None:
    sent = headers(**renamed(CASSO))
    late = CASSO_AT + casso.WINDOW + timedelta(seconds=1)
    early = CASSO_AT - casso.WINDOW - timedelta(seconds=1)
    raw = body(CASSO["payload"])
    assert refusal(casso, sent, raw, CASSO_SECRETS, late) == ("signature_stale", 403)
    assert refusal(casso, sent, raw, CASSO_SECRETS, early)[0] == "signature_from_the_future"


@pytest.mark.parametrize("escaped", [True, False])
def test_both_ways_of_casso_to_write_accents_are_taken(escaped: bool) -> None:
    payload = {"error": 0, "data": {"id": 7, "description": "Nguyễn Văn Á", "amount": 5}}
    ordered = {"data": {"amount": 5, "description": "Nguyễn Văn Á", "id": 7}, "error": 0}
    text = json.dumps(ordered, ensure_ascii=escaped, separators=(",", ":"))
    signature = hexed("another", f"1760000000000.{text}".encode(), "sha512")
    sent = headers(X_Casso_Signature=f"t=1760000000000,v1={signature}")
    casso.verify(sent, body(payload), CASSO_SECRETS, AT)
    casso.verify(sent, json.dumps(payload).encode(), CASSO_SECRETS, AT)


def test_payos_signs_lists_nulls_and_truths_as_it_does() -> None:
    data = {
        "b": None, "a": "null", "orderCode": 5, "ok": True,
        "items": [{"z": 1, "a": "ă"}, {"y": None}], "c": {"b": 1, "a": 2},
    }  # fmt: skip
    text = 'a=&b=&c={"a":2,"b":1}&items=[{"a":"ă","z":1},{"y":null}]&ok=true&orderCode=5'
    assert payos.signed_text(data) == text.encode()
    signature = hexed("another", text.encode(), "sha256")
    payos.verify(headers(), body({"data": data, "signature": signature}), PAYOS_SECRETS, AT)


def test_keys_in_headers_are_taken_during_a_change_of_keys() -> None:
    secrets = Secrets(tokens=("new-key", "old-key"))
    for key in ("new-key", "old-key"):
        sepay.verify(headers(Authorization=f"Apikey {key}"), b"", secrets, AT)
        sepay.verify(headers(authorization=f"apikey  {key}"), b"", secrets, AT)
        casso.verify(headers(secure_token=key), b"", secrets, AT)
    for wrong in ("new-ke", "new-keyy", "NEW-KEY", "khoá", "\udcff"):
        sent = headers(Authorization=f"Apikey {wrong}")
        assert refusal(sepay, sent, b"", secrets) == ("key_wrong", 403)
        assert refusal(casso, headers(Secure_Token=wrong), b"", secrets) == ("key_wrong", 403)
    sent = headers(Authorization="Bearer new-key")
    assert refusal(sepay, sent, b"", secrets) == ("scheme_wrong", 401)


def test_a_right_key_doesnt_save_a_wrong_signature() -> None:
    both = Secrets(tokens=("key",), signing_keys=("secret",))
    sent = headers(
        Authorization="Apikey key", X_SePay_Timestamp="1760000000", X_SePay_Signature="sha256=00"
    )
    assert refusal(sepay, sent, RAW, both) == ("signature_wrong", 403)
    sent = headers(Secure_Token="key", X_Casso_Signature="t=1760000000,v1=" + "0" * 128)
    assert refusal(casso, sent, b"{}", both) == ("signature_wrong", 403)


@pytest.mark.parametrize("feed", [sepay, payos, casso])
def test_without_proof_or_without_secrets_nobody_is_believed(feed: Any) -> None:
    secrets = Secrets(tokens=("a",), signing_keys=("b",))
    assert refusal(feed, headers(), body({"data": {}}), secrets) == ("credentials_missing", 401)
    assert refusal(feed, headers(Authorization="Apikey "), b"{}", Secrets()) == (
        "feed_not_configured", 404,
    )  # fmt: skip


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b'{"data":1,"signature":"x"}'])
def test_a_body_in_which_no_signature_can_be_read_is_refused(raw: bytes) -> None:
    assert refusal(payos, headers(), raw, PAYOS_SECRETS)[1] == 401


def test_unreadable_signatures_are_refused() -> None:
    sent = headers(X_SePay_Timestamp="1760000000", X_SePay_Signature="00")
    assert refusal(sepay, sent, RAW, SIGNED) == ("signature_unreadable", 401)
    for text in ("t=1,v1=00", "v1=x,t=1", "t=1760000000"):
        sent = headers(X_Casso_Signature=text)
        assert refusal(casso, sent, b"{}", CASSO_SECRETS) == ("signature_unreadable", 401)


def test_secrets_dont_show() -> None:
    assert "another" not in repr(SIGNED)
