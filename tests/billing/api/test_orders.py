"""A school's program opens orders for courses, reads them, and cancels them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from billing.enums import PaymentType
from billing.models import PaymentOrder
from billing.qr_links import qr_url
from billing.services import settlement
from billing.services.open_orders import reopen_order
from billing.services.orders import open_order
from billing.vietqr import decode
from kitehub.enums import ApiScope, Tier
from kitehub.models import ApiKey, Instance
from tests.billing.api.conftest import COURSE, URL, ask
from tests.billing.qr_readers import png_pixels, read_pixels
from tests.factories.billing import BankTransferFactory, PaymentOrderFactory
from tests.kitehub.api.conftest import program

pytestmark = pytest.mark.django_db


def pay(code: str, amount: int) -> None:
    order = PaymentOrder.objects.get(order_id=code)
    line = BankTransferFactory(account_number=order.account_number, amount=amount, memo=order.memo)
    settlement.settle_transfer(transfer_id=line.pk, at=timezone.now())


def late(code: str) -> None:
    PaymentOrder.objects.filter(order_id=code).update(expires_at=timezone.now())


def test_order_says_all_that_a_page_needs_to_be_paid(website: Client, school: Instance) -> None:
    answer = ask(website, client_reference="GD-1", expires_in_minutes=30)
    said = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == f"{URL}/{said['code']}"
    assert answer["Cache-Control"] == "no-store"
    order = PaymentOrder.objects.get(pk=said["id"])
    assert (order.type, order.instance) == (PaymentType.ENROLLMENT, school)
    assert order.created_by == ApiKey.objects.get().shown_prefix
    assert order.expires_at - order.created_at == timedelta(minutes=30)
    code = decode(said.pop("payload"))
    assert (code.bank_bin, code.account_number) == ("970422", "0001234567")
    assert (code.amount, code.memo) == (1_500_000, order.memo)
    made, ends = said.pop("created_at"), said.pop("expires_at")
    assert (made[:19], ends[:19]) == (
        order.created_at.isoformat()[:19],
        order.expires_at.isoformat()[:19],
    )
    assert said == {
        **COURSE,
        "id": str(order.pk),
        "code": order.order_id,
        "status": "PENDING",
        "paid_amount": 0,
        "to_transfer": 1_500_000,
        "memo": order.memo,
        "bank": {
            "bin": "970422",
            "name": "MB Bank",
            "account_number": "0001234567",
            "account_name": "SAO MAI",
        },
        "qr_svg_url": qr_url(order.order_id, "svg"),
        "qr_png_url": qr_url(order.order_id, "png"),
        "paid_at": None,
        "superseded_by": None,
        "client_reference": "GD-1",
    }


def test_reference_opens_one_order_however_it_is_sent(website: Client) -> None:
    first = ask(website, client_reference="GD-1")
    again = ask(website, client_reference=" GD-1 ", expires_in_minutes=5)
    by_header = ask(website, key="GD-1", student_name="  Nguyễn Văn An ")
    assert [each.status_code for each in (first, again, by_header)] == [201, 200, 200]
    assert first.json() == again.json() == by_header.json()
    assert ask(website, key="GD-1", client_reference="GD-2").json()["client_reference"] == "GD-2"
    assert ask(website, key="GD-1").json()["superseded_by"] is not None
    other = ask(website, key="GD-3", course_id="VAN9").json()
    website.post(f"{URL}/{other['code']}/cancel")
    answer = ask(website, key="GD-3", course_id="VAN9")
    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")


@pytest.mark.parametrize(
    "said", [{"amount": 1_500_001}, {"course_id": "VAN9"}, {"student_name": "Nguyễn Văn Ân"}]
)
def test_reference_of_other_terms_is_409(website: Client, said: dict[str, Any]) -> None:
    ask(website, client_reference="GD-1")
    answer = ask(website, client_reference="GD-1", **said)
    assert (answer.status_code, answer.json()["code"]) == (409, "reference_used")
    assert PaymentOrder.objects.count() == 1


def test_reference_of_a_deleted_order_is_409(website: Client) -> None:
    ask(website, client_reference="GD-1")
    PaymentOrder.objects.all().delete()
    assert ask(website, client_reference="GD-1").json()["code"] == "reference_used"


def test_reference_is_answered_also_when_the_account_is_gone(
    website: Client, school: Instance
) -> None:
    first = ask(website, client_reference="GD-1")
    Instance.objects.update(account_number=None)
    assert ask(website, client_reference="GD-1").json() == first.json()
    answer = ask(website)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_bank_account")
    Instance.objects.update(account_number="123456", owner=uuid4())
    assert ask(website).json()["code"] == "no_owner"


def test_second_order_of_a_student_supersedes_the_first(website: Client) -> None:
    first, second = ask(website).json(), ask(website, amount=9_000).json()
    said = website.get(f"{URL}/{first['code']}").json()
    assert (said["status"], said["superseded_by"]) == ("CANCELLED", second["code"])
    assert (said["to_transfer"], said["payload"], said["qr_svg_url"]) == (0, None, None)


def test_money_shows_and_etag_is_good_until_it_does(website: Client) -> None:
    code = ask(website).json()["code"]
    first = website.get(f"{URL}/{code}")
    assert first["Cache-Control"] == "private, max-age=3"
    assert "Authorization" in first["Vary"]
    known = {"if-none-match": first["ETag"]}
    same = website.get(f"{URL}/{code}", headers=known)
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    pay(code, 500_000)
    partly = website.get(f"{URL}/{code}", headers=known).json()
    assert (partly["status"], partly["paid_amount"]) == ("PENDING", 500_000)
    assert partly["to_transfer"] == decode(partly["payload"]).amount == 1_000_000
    pay(code, 1_000_000)
    paid = website.get(f"{URL}/{code}").json()
    assert (paid["status"], paid["paid_amount"], paid["payload"]) == ("PAID", 1_500_000, None)
    assert paid["paid_at"] is not None
    answer = website.post(f"{URL}/{code}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "order_paid")


def test_cancelling_twice_is_cancelling_once(website: Client) -> None:
    code = ask(website).json()["code"]
    answers = [website.post(f"{URL}/{code}/cancel") for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert [each.json()["status"] for each in answers] == ["CANCELLED"] * 2
    assert PaymentOrder.objects.get().version == 1


def test_overdue_order_is_expired_by_the_clock(website: Client) -> None:
    code = ask(website).json()["code"]
    late(code)
    said = website.get(f"{URL}/{code}").json()
    assert (said["status"], said["to_transfer"], said["payload"]) == ("EXPIRED", 0, None)
    assert website.post(f"{URL}/{code}/cancel").json()["code"] == "order_expired"
    assert website.get(f"{URL}/{code}/qr.svg").json()["code"] == "nothing_to_pay"
    assert website.get(URL, {"status": "PENDING"}).json()["items"] == []
    assert len(website.get(URL, {"status": "EXPIRED"}).json()["items"]) == 1


def test_image_pays_what_the_payload_pays(website: Client) -> None:
    said = ask(website).json()
    png = website.get(f"{URL}/{said['code']}/qr.png")
    assert png["Content-Type"] == "image/png"
    assert read_pixels(png_pixels(png.content)).text == said["payload"]
    svg = website.get(f"{URL}/{said['code']}/qr.svg")
    assert svg["Content-Type"] == "image/svg+xml"
    assert svg.content.startswith(b"<svg")
    for kind in ("png", "svg"):
        path = f"{URL}/{said['code']}/qr.{kind}"
        etag = {"if-none-match": website.get(path)["ETag"]}
        assert website.get(path, headers=etag).status_code == 304
        head = website.head(path)
        assert (head.status_code, head.content) == (200, b"")


def test_pages_are_newest_first_without_gaps_or_repeats(website: Client, school: Instance) -> None:
    now = timezone.now()
    made = [
        PaymentOrderFactory(
            instance=school,
            type=PaymentType.ENROLLMENT,
            course_id=f"C{n % 2}",
            # Of two at one moment each is there, whichever is first.
            created_at=now - timedelta(minutes=n // 2),
        )
        for n in range(7)
    ]
    expected = sorted(made, key=lambda order: (order.created_at, order.pk), reverse=True)
    found: list[str] = []
    cursor: dict[str, str] = {}
    sizes = []
    while True:
        page = website.get(URL, {"limit": 3, **cursor}).json()
        sizes.append(len(page["items"]))
        found += [each["code"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
        if len(found) == 3:  # one that comes meanwhile is before all that are to come
            PaymentOrderFactory(instance=school, type=PaymentType.ENROLLMENT)
    assert (found, sizes) == ([order.order_id for order in expected], [3, 3, 1])
    odd = website.get(URL, {"course_id": "C1"}).json()["items"]
    assert [each["course_id"] for each in odd] == ["C1"] * 3
    # Of another program: it says no account, so nobody can draw it.
    assert (odd[0]["bank"], odd[0]["memo"], odd[0]["payload"]) == (None, None, None)


def test_list_is_found_by_reference(website: Client) -> None:
    code = ask(website, client_reference="GD-1").json()["code"]
    ask(website, client_reference="GD-2", course_id="VAN9")
    items = website.get(URL, {"client_reference": "GD-1"}).json()["items"]
    assert [each["code"] for each in items] == [code]


def test_what_staff_open_anew_is_found_by_the_reference_of_the_old(website: Client) -> None:
    code = ask(website, client_reference="GD-1").json()["code"]
    chain = [code]
    for _ in range(2):
        late(chain[0])
        old = PaymentOrder.objects.get(order_id=chain[0])
        opened = reopen_order(order_id=old.pk, actor="lan", reason="x", at=timezone.now())
        chain.insert(0, opened.order_id)
    items = website.get(URL, {"client_reference": "GD-1"}).json()["items"]
    assert [each["code"] for each in items] == chain
    assert items[0]["status"] == "PENDING"
    # One with a reference of its own is another order, though it took the place of the last.
    other = ask(website, client_reference="GD-2").json()["code"]
    items = website.get(URL, {"client_reference": "GD-1"}).json()["items"]
    assert [each["superseded_by"] for each in items] == [other, *chain[:2]]


def test_list_takes_a_query_for_the_key_and_one_for_all_rows(
    website: Client, django_assert_num_queries: Any
) -> None:
    for course in ("A", "B", "B"):
        ask(website, course_id=course)
    website.get(URL)
    with django_assert_num_queries(2):
        assert len(website.get(URL).json()["items"]) == 3


def test_what_the_school_pays_to_kitehub_is_not_there(website: Client, school: Instance) -> None:
    order = open_order(instance=school, actor="lan", tier=Tier.BASIC)
    assert website.get(URL).json() == {"items": [], "next": None}
    for path in ("", "/qr.svg", "/qr.png"):
        assert website.get(f"{URL}/{order.order_id}{path}").status_code == 404
    assert website.post(f"{URL}/{order.order_id}/cancel").status_code == 404


def test_key_needs_the_scope_of_what_it_does(school: Instance) -> None:
    reads = program(school, scopes=[ApiScope.ORDERS_READ])
    writes = program(school, scopes=[ApiScope.ORDERS_WRITE])
    code = ask(writes).json()["code"]
    for path in ("", f"/{code}", f"/{code}/qr.svg", f"/{code}/qr.png"):
        assert writes.get(f"{URL}{path}").json()["code"] == "scope_missing"
        assert reads.get(f"{URL}{path}").status_code == 200
    assert ask(reads).json()["code"] == "scope_missing"
    assert reads.post(f"{URL}/{code}/cancel").json()["code"] == "scope_missing"
