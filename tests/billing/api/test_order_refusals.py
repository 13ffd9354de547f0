"""What can't be an order is refused by a problem that names the field, and nothing is opened."""

from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as few
from hypothesis import strategies as st

from billing.models import PaymentOrder
from billing.services import orders
from kitehub.enums import InstanceStatus
from kitehub.models import Instance
from tests.billing.api.conftest import COURSE, URL, ask
from tests.kitehub.api.test_problems import assert_problem

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("amount", each) for each in (0, -1, 1.5, 2.0, "5", True, None, [], 10**13, 10**400)],
        *[("course_id", each) for each in ("", "  ", "x" * 101, "a\x00b", "a\nb", 5, None, {})],
        *[("student_name", each) for each in ("", "x" * 201, "An\x00", "\ud800", ["An"])],
        *[("client_reference", each) for each in ("", "x" * 101, "\x00", 7)],
        *[("expires_in_minutes", each) for each in (0, 4, 43_201, -1, 7.5, "9", True, 10**30)],
        ("instance_id", "another"),
        ("tier", "PREMIUM"),
    ],
)
def test_field_is_named(website: Client, field: str, value: Any) -> None:
    body = assert_problem(ask(website, **{field: value}), 422, "invalid")
    assert [each["field"] for each in body["errors"]] == [field]
    assert body["errors"][0]["message"]
    assert not PaymentOrder.objects.exists()


def test_all_that_is_missing_is_named(website: Client) -> None:
    answer = website.post(URL, {}, content_type="application/json")
    body = assert_problem(answer, 422, "invalid")
    assert [each["field"] for each in body["errors"]] == ["amount", "course_id", "student_name"]


@pytest.mark.parametrize("key", ["", " ", "x" * 101, "a\x00b", "a\x01"])
def test_header_is_named(website: Client, key: str) -> None:
    body = assert_problem(ask(website, key=key), 422, "invalid")
    assert [each["field"] for each in body["errors"]] == ["Idempotency-Key"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b'"x"', 422, "invalid"),
        (b"{", 400, "bad_request"),
        (b'{"amount": 1', 400, "bad_request"),
        (b"\xff\xfe\x00", 400, "bad_request"),
        (b"[" * 60_000, 400, "bad_request"),
        (b'{"amount": ' + b"9" * 5000 + b"}", 400, "bad_request"),
        (b'{"amount": NaN}', 422, "invalid"),
        (b'{"\\ud800": 1}', 422, "invalid"),
        (b'{"' + b"x" * 60_000 + b'": 1}', 422, "invalid"),
        (b" " * 70_000, 413, "too_large"),
        (b" " * 3_000_000, 413, "too_large"),
    ],
)
def test_body_that_is_none_is_said_to_be(
    website: Client, body: bytes, status: int, code: str
) -> None:
    said = assert_problem(website.post(URL, body, "application/json"), status, code)
    assert status != 422 or said["errors"]
    assert len(str(said)) < 2000


def test_field_that_is_there_twice_is_named(website: Client) -> None:
    body = '{"amount": 500000, "amount": 5, "course_id": "TOAN9", "student_name": "An"}'
    said = assert_problem(website.post(URL, body, "application/json"), 422, "invalid")
    assert said["errors"] == [{"field": "amount", "message": "Trường này xuất hiện hai lần."}]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"]
)
def test_body_that_does_not_say_it_is_json_is_415(website: Client, kind: str) -> None:
    assert_problem(website.post(URL, '{"amount": 1}', kind), 415, "not_json")


def test_json_may_name_its_charset(website: Client) -> None:
    body = '{"amount": 9000, "course_id": "A", "student_name": "Đức"}'
    answer = website.post(URL, body, "application/json; charset=utf-8")
    assert answer.json()["student_name"] == "Đức"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("status", each) for each in ("", "paid", "\x00")],
        *[("limit", each) for each in ("0", "101", "-1", "x", "1.5", "9" * 5000)],
        *[("cursor", each) for each in ("", "KH00000000", "\x00", "x" * 51)],
        *[("client_reference", each) for each in ("", "\x00", "x" * 101)],
        *[("course_id", each) for each in ("", "a\x00", "x" * 101)],
    ],
)
def test_parameter_of_the_list_is_named(website: Client, name: str, value: str) -> None:
    body = assert_problem(website.get(URL, {name: value}), 422, "invalid")
    assert [each["field"] for each in body["errors"]] == [name]


@pytest.mark.parametrize("code", ["KH00000000", "x", "%00", "%0A", "é", "x" * 5000, "%FF"])
def test_order_that_is_not_there_is_404(website: Client, code: str) -> None:
    for path in (code, f"{code}/qr.svg", f"{code}/qr.png"):
        assert_problem(website.get(f"{URL}/{path}"), 404, "not_found")
    assert_problem(website.post(f"{URL}/{code}/cancel"), 404, "not_found")


def test_code_is_not_found_in_another_spelling(website: Client) -> None:
    code = ask(website).json()["code"]
    assert website.get(f"{URL}/{code.lower()}").status_code == 404


def test_suspended_school_opens_and_reads_nothing(website: Client) -> None:
    Instance.objects.update(status=InstanceStatus.SUSPENDED)
    assert_problem(ask(website), 403, "instance_suspended")
    assert_problem(website.get(URL), 403, "instance_suspended")


def test_too_many_at_once_are_asked_to_come_again(
    website: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "_ATTEMPTS", 0)
    assert_problem(ask(website), 503, "unavailable")


def test_words_are_vietnamese_unless_somebody_chose_english(website: Client) -> None:
    Instance.objects.update(account_number=None)
    assert ask(website).json()["detail"] == "Trường chưa có tài khoản ngân hàng để nhận tiền."
    website.cookies["django_language"] = "en"
    said = ask(website).json()["detail"]
    assert said == "The instance has no bank account that can be paid to."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@few(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.dictionaries(st.sampled_from([*COURSE, "client_reference"]), JSON, max_size=3)
    | st.fixed_dictionaries({"student_name": st.text(), "course_id": st.text()})
)
def test_no_json_is_a_fault(website: Client, said: Any) -> None:
    assert ask(website, **said).status_code in {201, 200, 409, 422}
