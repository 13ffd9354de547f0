"""What services send is stored once and settled in the background; nothing else is kept."""

import io
from typing import Any

import pytest
from django.conf import settings as project
from django.core.handlers.wsgi import WSGIRequest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from billing import webhooks
from billing.enums import PaymentStatus, TransferState, UnmatchedReason
from billing.feeds import payos
from billing.feeds import sepay as sepay_feed
from billing.models import BankFeed, BankTransfer
from billing.services.orders import open_order
from billing.services.receiving import Owner, owner_of
from billing.services.settlement import settle_transfer
from kitehub.enums import Tier
from kitehub.jobs.models import Job
from tests.billing.feeds.bodies import body, hexed, published
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db
OWN = "0123499999"


@pytest.fixture(autouse=True)
def _secrets(settings: Any) -> None:
    settings.KITEHUB_WEBHOOK_SECRETS = {
        "sepay": {"tokens": ("sepay-key",)},
        "payos": {"signing_keys": ("payos-key",)},
        "casso": {"tokens": ("casso-token",)},
    }


def sepay(**changes: Any) -> dict[str, Any]:
    return {**published("SePay", 1)["payload"], **changes}


def send(payload: Any, service: str = "sepay", key: str = "Apikey sepay-key") -> Any:
    raw = payload if isinstance(payload, bytes) else body(payload)
    headers = {"Secure-Token": key} if service == "casso" else {"Authorization": key}
    return Client(enforce_csrf_checks=True).post(
        f"/api/v1/webhooks/{service}", raw, content_type="application/json", headers=headers
    )


def jobs() -> list[dict[str, Any]]:
    return list(Job.objects.filter(task_name="billing.tasks.settle_transfer").values_list("args"))


def stored() -> list[tuple[str, str, str | None]]:
    return sorted(BankTransfer.objects.values_list("provider", "state", "reason"))


def test_a_line_is_stored_whole_and_settled_in_the_background() -> None:
    payload = sepay(new_field={"x": 1}, content="KH7Q2M4X9A", description="more")
    answer = send(payload)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    line = BankTransfer.objects.get()
    assert (line.provider, line.provider_id, line.amount) == ("SEPAY", "92704", 2277000)
    assert (line.state, line.account_number, line.instance) == ("RECEIVED", OWN, None)
    assert line.raw == payload
    assert line.raw_body == body(payload).decode()
    assert (line.memo, line.details) == ("KH7Q2M4X9A", "more")
    assert jobs() == [({"transfer_id": str(line.pk)},)]
    feed = BankFeed.objects.get()
    assert (feed.provider, feed.account_number, feed.received) == ("SEPAY", OWN, 1)
    assert feed.last_seen_at


def test_a_line_that_comes_again_stays_as_it_is() -> None:
    send(sepay())
    assert send(sepay(content="changed")).json() == {"success": True}
    assert BankTransfer.objects.get().memo == "payment content"
    assert len(jobs()) == 1
    assert BankFeed.objects.get().received == 2


def test_each_service_has_its_address() -> None:
    payload = published("payOS")["payload"]
    data = payload["data"] | {"orderCode": 5, "description": "KH7Q2M4X9A", "accountNumber": OWN}
    signature = hexed("payos-key", payos.signed_text(data), "sha256")
    assert send({"data": data, "signature": signature}, "payos").status_code == 200
    lines = published("Casso V1")["payload"]
    first = lines["data"][0] | {"bank_sub_acc_id": OWN}
    lines["data"] = [first, first | {"id": 2, "tid": "TF2", "amount": -5000}]
    assert send(lines, "casso", "casso-token").status_code == 200
    assert stored() == [
        ("CASSO", "IGNORED", "OUTGOING"), ("CASSO", "RECEIVED", None), ("PAYOS", "RECEIVED", None),
    ]  # fmt: skip
    assert set(BankTransfer.objects.values_list("provider", "raw_body")) >= {("CASSO", "")}


def test_probes_and_test_calls_are_answered_and_not_stored() -> None:
    data = published("payOS")["payload"]["data"]
    signature = hexed("payos-key", payos.signed_text(data), "sha256")
    assert send({"data": data, "signature": signature}, "payos").status_code == 200
    lines = published("Casso V1")["payload"]
    lines["data"][0]["id"] = 0
    assert send(lines, "casso", "casso-token").status_code == 200
    assert not BankTransfer.objects.exists()
    assert not BankFeed.objects.exists()


def test_a_forged_message_leaves_nothing_but_a_count() -> None:
    for key, status in (("Apikey wrong", 403), ("", 401), ("Bearer x", 401)):
        answer = send(sepay(), key=key)
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["title"] == answer.json()["detail"], "no word of the API's own keys"
    assert send(published("payOS")["payload"], "payos").json()["code"] == "signature_wrong"
    assert not BankTransfer.objects.exists()
    counts = BankFeed.objects.order_by("provider").values_list(
        "provider", "account_number", "refused", "refused_reason", "received"
    )
    assert list(counts) == [
        ("PAYOS", "", 1, "signature_wrong", 0), ("SEPAY", "", 3, "scheme_wrong", 0),
    ]  # fmt: skip


def test_a_service_that_isnt_set_up_is_answered_404(settings: Any) -> None:
    settings.KITEHUB_WEBHOOK_SECRETS = {}
    answer = send(sepay())
    assert (answer.status_code, answer.json()["code"]) == (404, "feed_not_configured")
    assert not BankFeed.objects.exists()
    assert send(sepay(), "other").status_code == 404


def test_the_settings_have_every_service() -> None:
    assert {"sepay", "payos", "casso"} == {each.name[8:] for each in webhooks.urlpatterns}
    assert set(project._wrapped.KITEHUB_WEBHOOK_SECRETS) == set(webhooks.FEEDS)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("payload", "field"),
    [(b"{", ""), (sepay(transferAmount=0), "transferAmount"), (b"\xff", ""),
     (sepay(content="\x00"), "content"), (b"[" * 100_000, "")],
)  # fmt: skip
def test_a_message_that_cant_be_read_names_the_field(payload: Any, field: str) -> None:
    answer = send(payload)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert not BankTransfer.objects.exists()
    assert BankFeed.objects.get().refused_reason == f"malformed: {field}"


class Endless(io.RawIOBase):
    """A body that counts how much of it was read."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "the whole body was asked for"
        self.taken += size
        return b"x" * size


@pytest.mark.parametrize(("told", "most"), [("10485760", 0), ("1048577", 0), ("", 1_100_000)])
def test_of_a_large_body_no_more_is_read_than_shows_it(told: str, most: int) -> None:
    content = Endless()
    request = WSGIRequest(
        {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": content, "CONTENT_LENGTH": told}
    )
    if not told:
        request._stream = content  # as a server gives it that lets bodies have no length
    answer = webhooks.receive(request, sepay_feed)  # type: ignore[arg-type]
    assert answer.status_code == 413
    assert content.taken <= most
    assert not BankFeed.objects.exists()


def test_only_post_is_taken() -> None:
    answer = Client().get("/api/v1/webhooks/sepay")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_an_account_that_is_nobodys_waits_for_a_person() -> None:
    send(sepay(accountNumber="999"))
    assert stored() == [("SEPAY", "UNMATCHED", "UNKNOWN_ACCOUNT")]
    assert not jobs()
    assert not BankFeed.objects.exists()


def test_an_instances_account_is_known_by_its_number_and_bank() -> None:
    school = InstanceFactory(bank_code="970422", account_number="0001234567")
    InstanceFactory(bank_code="970436", account_number="0001234567")
    send(sepay(accountNumber="1234567", gateway="MBBank", id=1, referenceCode="", content="one"))
    send(sepay(accountNumber="X", subAccount="0001-234 567", gateway="mb", id=2, content="two"))
    lines = BankTransfer.objects.order_by("provider_id")
    assert [(line.account_number, line.instance) for line in lines] == [
        ("0001234567", school), ("0001234567", school),
    ]  # fmt: skip
    send(sepay(accountNumber="0001234567", gateway="ACB", id=3))
    assert BankTransfer.objects.get(provider_id="3").reason == UnmatchedReason.UNKNOWN_ACCOUNT


def test_a_number_that_kitehub_and_a_school_have_is_nobodys_unless_the_bank_is_told(
    settings: Any,
) -> None:
    settings.KITEHUB_BANK_BIN = "970436"
    for school_bank, told, owned in (
        ("970422", "", False),
        ("970422", "somewhere", False),
        ("970422", "Vietcombank", True),
        ("970436", "", True),
    ):
        school = InstanceFactory(bank_code=school_bank, account_number=OWN.lstrip("0"))
        assert (owner_of(OWN, bank_name=told) == Owner(OWN)) is owned
        assert owned or owner_of(OWN, bank_name=told) is None
        assert owner_of(OWN, bank_name="MB") == (
            Owner(OWN.lstrip("0"), school.pk) if school_bank == "970422" else None
        )
        school.delete()


def casso(**changes: Any) -> dict[str, Any]:
    """The published line of Casso as SePay's is: the same account, amount, day and reference."""
    line = published("Casso V1")["payload"]["data"][0] | {
        "bank_sub_acc_id": OWN, "amount": 2277000, "when": "2023-03-25", "tid": "mbvcb.3278907687",
    }  # fmt: skip
    return {"error": 0, "data": [line | changes]}


def test_a_line_that_two_services_tell_is_settled_once() -> None:
    send(sepay())
    send(casso(), "casso", "casso-token")
    first, second = BankTransfer.objects.order_by("-provider")
    assert (first.state, second.state) == ("RECEIVED", "DUPLICATE")
    assert second.duplicate_of == first
    assert len(jobs()) == 1
    # Told again it stays the twin of the same one.
    send(casso(), "casso", "casso-token")
    assert BankTransfer.objects.count() == 2


@pytest.mark.parametrize("blank_first", [True, False])
def test_which_service_leaves_the_memo_out_makes_no_difference(blank_first: bool) -> None:
    order = open_order(
        instance=InstanceFactory(), tier=Tier.STANDARD, actor="lan", at=timezone.now()
    )
    said = {"transferAmount": order.amount, "content": "" if blank_first else order.order_id}
    send(sepay(**said))
    line = BankTransfer.objects.get()
    settle_transfer(transfer_id=line.pk)
    memo = order.order_id if blank_first else ""
    send(casso(amount=order.amount, description=memo), "casso", "casso-token")
    assert len(jobs()) == 1 + blank_first
    assert settle_transfer(transfer_id=line.pk) == TransferState.MATCHED
    order.refresh_from_db()
    assert (order.status, order.paid_amount) == (PaymentStatus.PAID, order.amount)


def test_a_line_that_comes_again_is_one_however_the_account_is_spelled_by_then(
    settings: Any,
) -> None:
    settings.KITEHUB_BANK_ACCOUNT = "0123499999"
    first, again = sepay(accountNumber="0123499999"), sepay(accountNumber="123499999")
    send(first)
    settings.KITEHUB_BANK_ACCOUNT = "123499999"
    assert send(again).json() == send(first).json()
    send(casso(bank_sub_acc_id="123499999"), "casso", "casso-token")
    settings.KITEHUB_BANK_ACCOUNT = "0123499999"
    send(casso(bank_sub_acc_id="0123499999"), "casso", "casso-token")
    rows = BankTransfer.objects.order_by("provider").values_list("account_number", "state")
    assert list(rows) == [("0123499999", "DUPLICATE"), ("0123499999", "RECEIVED")]
    assert {feed.account_number for feed in BankFeed.objects.all()} == {"0123499999"}


def test_genuine_lines_that_say_the_same_stay_as_many() -> None:
    for number in (1, 2):
        send(sepay(id=number, referenceCode="", content="NGUYEN VAN A"))
    for number in (1, 2, 3):
        line = casso(id=number, tid="", description="NGUYEN VAN A")
        send(line, "casso", "casso-token")
    assert [each[:2] for each in stored()] == [
        ("CASSO", "DUPLICATE"), ("CASSO", "DUPLICATE"), ("CASSO", "RECEIVED"),
        ("SEPAY", "RECEIVED"), ("SEPAY", "RECEIVED"),
    ]  # fmt: skip
    originals = BankTransfer.objects.filter(duplicates__isnull=False)
    assert originals.distinct().count() == 2


def test_another_amount_or_account_is_another_line() -> None:
    send(sepay())
    for number, changes in enumerate(
        ({"amount": 2277001}, {"bank_sub_acc_id": "1"}, {"amount": -2277000}), start=1
    ):
        send(casso(id=number, **changes), "casso", "casso-token")
    assert not BankTransfer.objects.filter(state=TransferState.DUPLICATE).exists()


def test_while_the_database_is_away_the_service_is_to_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(webhooks, "record_all", away)
    answer = send(sepay())
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_nothing_of_a_message_is_booked_if_one_line_cant_be() -> None:
    whole = casso()["data"][0]
    answer = send(
        {"error": 0, "data": [whole, whole | {"id": 2, "amount": "5"}]}, "casso", "casso-token"
    )
    assert answer.json()["errors"][0]["field"] == "data.1.amount"
    assert not BankTransfer.objects.exists()
    assert not jobs()
