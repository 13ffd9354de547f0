"""Each service's body is read into lines, or refused with the field that is wrong."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.enums import TransferDirection
from billing.feeds import FEEDS, Malformed, casso, payos, sepay
from tests.billing.feeds.bodies import body, published

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def payos_payment() -> dict[str, Any]:
    payload = published("payOS")["payload"]
    payload["data"] |= {"orderCode": 124, "description": "KH7Q2M4X9A"}
    return payload


PAYLOADS: dict[str, Callable[[], dict[str, Any]]] = {
    "sepay": lambda: published("SePay")["payload"],
    "payos": payos_payment,
    "casso V1": lambda: published("Casso V1")["payload"],
    "casso V2": lambda: published("Casso V2")["payload"],
}


def read(service: str, payload: Any) -> Any:
    return FEEDS[service.split()[0]].parse(payload if isinstance(payload, bytes) else body(payload))


def part(service: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The object that a line is read from."""
    if service == "sepay":
        return payload
    return payload["data"][0] if service == "casso V1" else payload["data"]


AMOUNT = {"sepay": "transferAmount"}
WHEN = {"sepay": "transactionDate", "casso V1": "when"}
ACCOUNT = {"casso V1": "subAccId"}
NUMBER = {"payos": "reference"}


def changed(service: str, **changes: Any) -> tuple[str, str]:
    """The field and reason with which a payload is refused once some fields are others."""
    payload = PAYLOADS[service]()
    part(service, payload).update(changes)
    with pytest.raises(Malformed) as refused:
        read(service, payload)
    return refused.value.field, str(refused.value.reason)


def test_sepays_lines_are_read() -> None:
    (line,) = sepay.parse(published("SePay", 1)["raw_body"].encode())
    assert (line.provider, line.provider_id, line.reference) == (
        "SEPAY", "92704", "MBVCB.3278907687",
    )  # fmt: skip
    assert (line.account_number, line.bank) == ("0123499999", "Vietcombank")
    assert (line.direction, line.amount) == (TransferDirection.IN, 2277000)
    assert line.transferred_at == datetime(2023, 3, 25, 14, 2, 37, tzinfo=VIETNAM)
    assert line.balance_after == 19077000
    assert line.memo == "payment content"
    (line,) = read("sepay", PAYLOADS["sepay"]())
    assert line.direction is TransferDirection.OUT
    assert line.balance_after is None
    assert line.account_number == "0359123456"
    assert line.texts[0] == "Thanh toan QR SE123456"


def test_payos_payments_are_read_and_probes_are_none() -> None:
    (line,) = read("payos", payos_payment())
    assert line.provider_id == line.reference == "TF230204212323"
    assert (line.account_number, line.amount) == ("12345678", 3000)
    assert line.direction is TransferDirection.IN
    assert line.transferred_at == datetime(2023, 2, 4, 18, 25, tzinfo=VIETNAM)
    assert read("payos", published("payOS")["payload"]) == []
    failed = payos_payment()
    failed["data"]["code"] = "01"
    assert read("payos", failed) == []
    assert changed("payos", currency="USD")[0] == "data.currency"


def test_cassos_lines_are_read_and_test_calls_are_none() -> None:
    (line,) = read("casso V2", PAYLOADS["casso V2"]())
    assert (line.provider, line.provider_id) == ("CASSO", "218897")
    assert (line.reference, line.amount) == ("FT24364030863634", 16775000)
    assert (line.account_number, line.bank) == ("123456789", "MBB")
    assert line.balance_after == 16775000
    assert read("casso", published("Casso V2", 1)["payload"]) == []
    (line,) = read("casso V1", PAYLOADS["casso V1"]())
    assert (line.provider_id, line.reference) == ("1", "TF80307914")
    assert line.transferred_at == datetime(2020, 11, 2, tzinfo=VIETNAM)
    assert not line.has_time


def test_a_v1_body_may_have_many_lines_and_money_that_went_out() -> None:
    payload = PAYLOADS["casso V1"]()
    first = payload["data"][0]
    payload["data"] = [first, first | {"id": 2, "amount": -7000, "when": "2020-11-02 15:30:01"}]
    payload["data"].append(first | {"id": 0})
    lines = read("casso V1", payload)
    assert [(line.direction, line.amount) for line in lines] == [
        (TransferDirection.IN, 200500), (TransferDirection.OUT, 7000),
    ]  # fmt: skip
    assert lines[1].has_time
    payload["data"] = []
    assert read("casso V1", payload) == []
    payload["data"] = [first, first | {"amount": 1.5}]
    with pytest.raises(Malformed, match=r"data\.1\.amount"):
        read("casso V1", payload)


@pytest.mark.parametrize("service", PAYLOADS)
def test_fields_that_nobody_knows_are_kept(service: str) -> None:
    payload = PAYLOADS[service]()
    part(service, payload)["new"] = {"nested": [1, None, "ă"]}
    (line,) = read(service, payload)
    assert line.raw == part(service, payload)


@pytest.mark.parametrize("service", PAYLOADS)
def test_amounts_that_are_none_are_refused_by_name(service: str) -> None:
    name = AMOUNT.get(service, "amount")
    prefix = {"sepay": "", "casso V1": "data.0."}.get(service, "data.")
    wrong = [0, 0.5, True, None, "2277000", "", [], {}, 10**13, 10**30]
    if not service.startswith("casso"):
        wrong.append(-1)
    for amount in wrong:
        assert changed(service, **{name: amount})[0] == prefix + name, amount
    payload = PAYLOADS[service]()
    part(service, payload)[name] = 9_999_999_999_999
    assert read(service, payload)[0].amount == 9_999_999_999_999


def test_a_whole_amount_may_be_written_with_a_point() -> None:
    raw = published("SePay", 1)["raw_body"]
    assert sepay.parse(raw.replace("2277000,", "2277000.00,").encode())[0].amount == 2277000
    with pytest.raises(Malformed, match="transferAmount"):
        sepay.parse(raw.replace("2277000,", "2277000.0000000000000001,").encode())


@pytest.mark.parametrize("service", PAYLOADS)
def test_missing_fields_and_wrong_types_are_refused_by_name(service: str) -> None:
    for name in (WHEN.get(service, "transactionDateTime"), NUMBER.get(service, "id")):
        for value in (None, [], {}, True, "", "x" * 200, "2024-13-01 00:00:00"):
            if name == "reference" and value == "2024-13-01 00:00:00":
                continue
            assert changed(service, **{name: value})[0].endswith(name), value
        payload = PAYLOADS[service]()
        del part(service, payload)[name]
        with pytest.raises(Malformed, match=name):
            read(service, payload)
    account = ACCOUNT.get(service, "accountNumber")
    rest = {"bank_sub_acc_id": ""} if service == "casso V1" else {}
    for value in (None, "", 359123456, "1" * 51):
        assert changed(service, **rest, **{account: value})[0].endswith(account)
    memo = "content" if service == "sepay" else "description"
    for value in (5, ["x"], "x" * 2001):
        assert changed(service, **{memo: value})[0].endswith(memo)


@pytest.mark.parametrize(
    "when",
    ["0001-01-01 00:00:00", "2024-02-30 00:00:00", "2024-01-01T25:00:00", "1.1.2024", "20240101",
     "2024-01-01 00:00:00+99:00", "２０２４-01-01", "9999-12-31 23:59:59"],
)  # fmt: skip
def test_moments_that_are_none_are_refused(when: str) -> None:
    assert changed("sepay", transactionDate=when)[0] == "transactionDate"


def test_a_moment_with_a_zone_is_that_moment() -> None:
    payload = PAYLOADS["sepay"]()
    payload["transactionDate"] = "2024-05-25T14:11:02Z"
    (line,) = read("sepay", payload)
    assert line.transferred_at == datetime(2024, 5, 25, 21, 11, 2, tzinfo=VIETNAM)


def test_a_direction_that_is_none_is_refused() -> None:
    for value in ("", "both", None, 1):
        assert changed("sepay", transferType=value)[0] == "transferType"


DEEP = b"[" * 200_000
BROKEN = {
    "empty": b"", "cut": b'{"id": 1', "no object": b"[]", "a text": b'"x"', "null": b"null",
    "latin": b'{"content": "\xe9"}', "utf-16": '{"id": 1}'.encode("utf-16"),
    "NaN": b'{"id": NaN}', "infinite": b'{"id": -Infinity}', "huge": b'{"id": 1e999}',
    "long": b'{"id": ' + b"9" * 5000 + b"}", "twice": b'{"id": 1, "id": 2}',
    "twice inside": b'{"x": [{"id": 1, "id": 1}]}', "deep": DEEP,
    "deep object": b'{"a":' * 100_000, "deep and closed": b'{"a":' * 20 + b"1" + b"}" * 20,
    "NUL": b'{"content": "a\\u0000b"}', "NUL in a name": b'{"a\\u0000": 1}',
    "half a character": b'{"content": "\\ud800"}', "two bodies": b"{}{}",
}  # fmt: skip


@pytest.mark.parametrize("feed", FEEDS.values(), ids=list(FEEDS))
@pytest.mark.parametrize("raw", BROKEN.values(), ids=list(BROKEN))
def test_broken_bodies_are_refused(feed: Any, raw: bytes) -> None:
    with pytest.raises(Malformed):
        feed.parse(raw)


def test_an_error_of_casso_is_no_transfer() -> None:
    with pytest.raises(Malformed, match="error"):
        read("casso V2", PAYLOADS["casso V2"]() | {"error": 401})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(service=st.sampled_from(sorted(PAYLOADS)), data=st.data(), value=JSON)
@settings(max_examples=100, deadline=None)
def test_no_value_of_a_field_is_more_than_refused(service: str, data: Any, value: Any) -> None:
    payload = PAYLOADS[service]()
    fields = part(service, payload)
    fields[data.draw(st.sampled_from(sorted(fields)))] = value
    try:
        lines = read(service, json.dumps(payload).encode())
    except Malformed:
        return
    assert all(1 <= line.amount <= 9_999_999_999_999 for line in lines)


def test_names_of_payloads_cover_every_feed() -> None:
    assert {name.split()[0] for name in PAYLOADS} == set(FEEDS)
    assert (payos.NAME, casso.NAME) == ("payos", "casso")
