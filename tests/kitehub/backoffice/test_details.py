"""The page of a row tells what happened, what belongs to it, and what people copy."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.enums import ViewChannel
from billing.models import BankTransfer, OrderView, PaymentAllocation, PaymentOrder, Refund
from billing.services import receipts, refunds
from billing.services.orders import open_order
from billing.services.settlement import settle_transfer
from kitehub.backoffice import timeline
from kitehub.enums import Tier
from kitehub.models import InstanceMove, InstanceSuspension, User
from tests.billing.bookings import line
from tests.factories.billing import (
    BankTransferFactory,
    CreditEntryFactory,
    OrderViewFactory,
    PaymentAllocationFactory,
    PaymentOrderFactory,
    ReceiptFactory,
    RefundFactory,
    SubscriptionAdjustmentFactory,
    SubscriptionFactory,
    SubscriptionPeriodFactory,
)
from tests.factories.kitehub import (
    ApiKeyFactory,
    EmailFactory,
    InstanceFactory,
    NoteFactory,
    TombstoneFactory,
    UserFactory,
)
from tests.factories.storage import StorageUsageFactory
from tests.kitehub.backoffice.pages import page_url

pytestmark = pytest.mark.django_db


def detail(client: Client, row: Any) -> dict[str, Any]:
    page = client.get(page_url(row))
    assert page.status_code == 200
    told: dict[str, Any] = page.context["detail"]
    return told


def told(client: Client, row: Any) -> list[str]:
    return [event.what for event, _to in detail(client, row)["timeline"].rows]


def panels(client: Client, row: Any) -> dict[str, dict[str, tuple[str, str]]]:
    return {
        each.panel.title: {fact.label: (fact.value, to) for fact, to in each.facts}
        for each in detail(client, row)["panels"]
    }


def clerk(*permissions: str) -> Client:
    person = UserFactory(staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def paid() -> PaymentOrder:
    """An order that was shown, asked for by mail, paid in full and receipted."""
    school = InstanceFactory()
    order = open_order(instance=school, actor="lan@kitehub.test", tier=Tier.STANDARD)
    OrderViewFactory(order=order, channel=ViewChannel.PORTAL)
    EmailFactory(instance=school, reason=f"renewal:{order.order_id}", recipient="a@b.vn")
    transfer = line(
        order.amount,
        state="RECEIVED",
        account_number=order.account_number,
        memo=order.memo,
        transferred_at=timezone.now(),
    )
    settle_transfer(transfer_id=transfer.pk)
    order.refresh_from_db()
    assert order.status == "PAID"
    return order


class TestOrders:
    def test_all_that_happened_is_told_newest_first(
        self, back_office: Client, paid: PaymentOrder
    ) -> None:
        refund = refunds.request_refund(
            order_id=paid.pk, amount=1_000, reason="đổi ý", actor="minh", at=timezone.now()
        )
        rows = detail(back_office, paid)["timeline"].rows
        moments = [event.at for event, _to in rows]
        assert moments == sorted(moments, reverse=True)
        said = {event.what.replace("\xa0", " "): (event, to) for event, to in rows}
        code = paid.order_id
        assert set(said) == {
            f"Mở đơn {code}: 599.000 ₫",
            "Mã QR hiển thị lần đầu: Trang của trường",
            "Yêu cầu gửi email tới a@b.vn",
            "NGUYEN THI HOANG YEN chuyển khoản 599.000 ₫",
            "SePay thông báo",
            "Giao dịch chuyển khoản: Đã đối soát",
            f"Ghi 599.000 ₫ cho đơn {code}",
            f"Đơn {code} đã thanh toán",
            next(what for what in said if what.startswith("Ghi kỳ: Tiêu chuẩn")),
            next(what for what in said if what.startswith("Lập biên nhận")),
            "Yêu cầu hoàn tiền 1.000 ₫",
        }
        asked, to = said["Yêu cầu hoàn tiền 1.000 ₫"]
        assert (asked.actor, asked.why, to) == ("minh", "đổi ý", page_url(refund))
        booked, to = said[f"Ghi 599.000 ₫ cho đơn {code}"]
        assert booked.actor == "Đối soát (tự động)"
        assert to == page_url(paid.allocations.get().transfer)
        assert said[f"Mở đơn {code}: 599.000 ₫"][0].actor == "lan@kitehub.test"

    def test_a_refund_a_void_and_a_cancelled_order_are_told(
        self, back_office: Client, paid: PaymentOrder
    ) -> None:
        now = timezone.now()
        asked = refunds.request_refund(
            order_id=paid.pk, amount=599_000, reason="x", actor="minh", at=now
        )
        refunds.approve(refund_id=asked.pk, actor="lan", decision="đúng", at=now)
        receipts.void(receipt=paid.receipts.get(kind="RECEIPT"), reason="x", actor="lan", at=now)
        said = " · ".join(told(back_office, paid))
        for part in ("Duyệt hoàn tiền", "Gỡ 599", "Biên nhận bị hủy bằng", "Hủy hiệu lực kỳ"):
            assert part in said
        other = PaymentOrderFactory()
        back_office.post(page_url(other, "delete"), {"post": "yes", "reason": "thừa"})
        (event, _to), *_rest = detail(back_office, other)["timeline"].rows
        assert (event.what, event.why) == ("Đã xóa.", "thừa")

    def test_related_rows_are_linked(self, back_office: Client, paid: PaymentOrder) -> None:
        found = panels(back_office, paid)
        school = found["Trường học"]
        assert school["Trường học"][1] == page_url(paid.instance)
        assert school["Chủ trường"][1] == page_url(paid.instance.owner)
        assert school["Gói đăng ký"][1] == page_url(paid.instance.subscription)
        came = found["Kết quả"]
        assert came["Chuyển khoản"][1] == page_url(paid.allocations.get().transfer)
        assert came["Biên nhận của đơn"][1] == page_url(paid.receipts.get())
        page = back_office.get(page_url(paid)).content.decode()
        assert "Tất cả 1 đơn của trường" in page
        listed = back_office.get(f"/admin/billing/paymentorder/?q={paid.instance_id}")
        assert list(listed.context["cl"].result_list) == [paid]

    def test_open_order_shows_its_code_and_a_paid_one_none(
        self, back_office: Client, paid: PaymentOrder
    ) -> None:
        order = open_order(instance=InstanceFactory(), actor="lan", tier=Tier.STANDARD)
        shown = detail(back_office, order)
        assert shown["qr"].startswith("<svg")
        pay = {copy.label: copy.text for copy in shown["to_pay"]}
        assert pay["Nội dung chuyển khoản"] == order.memo
        assert pay["Cần chuyển khoản"] == "599000"
        assert pay["Số tài khoản"] == order.account_number
        assert "qr" not in detail(back_office, paid)
        expired = PaymentOrderFactory(expires_at=timezone.now() - timedelta(hours=1))
        assert "qr" not in detail(back_office, expired)
        assert not OrderView.objects.filter(order=order).exists(), "staff aren't who pays"

    def test_buttons_copy_digits_and_codes(self, back_office: Client, paid: PaymentOrder) -> None:
        page = back_office.get(page_url(paid)).content.decode()
        for text in (paid.order_id, "599000", paid.transaction_reference, str(paid.pk)):
            assert f'data-copy="{text}"' in page
        assert "<script>" not in page.split('id="content-main"')[1]

    def test_nothing_is_told_or_linked_that_one_may_not_see(self, paid: PaymentOrder) -> None:
        client = clerk("view_paymentorder")
        rows = detail(client, paid)["timeline"].rows
        assert {event.what.split(" ")[0] for event, _to in rows} == {"Mở", "Đơn"}
        assert [to for _event, to in rows if to] == []
        found = panels(client, paid)
        assert found["Kết quả"] == {}
        assert [to for _value, to in found["Trường học"].values() if to] == []
        more = clerk("view_paymentorder", "view_banktransfer")
        assert any("SePay" in what for what in told(more, paid))


class TestOthers:
    def test_bank_line_tells_its_orders_and_its_twins(
        self, back_office: Client, paid: PaymentOrder
    ) -> None:
        transfer = paid.allocations.get().transfer
        twin = BankTransferFactory(
            provider="CASSO", state="DUPLICATE", duplicate_of=transfer, amount=transfer.amount
        )
        assert "Casso thông báo lại" in told(back_office, transfer)
        found = panels(back_office, transfer)
        assert page_url(paid) in {to for _value, to in found["Đơn thanh toán"].values()}
        assert found["Thông báo trùng"]["Thông báo lại bởi"][1] == page_url(twin)
        assert panels(back_office, twin)["Thông báo trùng"]["Trùng với"][1] == page_url(transfer)

    def test_subscription_tells_its_time_and_orders(
        self, back_office: Client, paid: PaymentOrder
    ) -> None:
        own = paid.instance.subscription
        SubscriptionAdjustmentFactory(subscription=own, reason="mưa bão")
        said = " · ".join(told(back_office, own))
        for part in ("Bắt đầu gói đăng ký", "Ghi kỳ", "Mở đơn", "Thêm", "Yêu cầu gửi email"):
            assert part in said

    def test_school_tells_its_moves_suspensions_keys_and_money(self, back_office: Client) -> None:
        school = InstanceFactory()
        SubscriptionFactory(instance=school)
        PaymentOrderFactory(instance=school, amount=299_000)
        ApiKeyFactory(instance=school, name="Trang tuyển sinh")
        StorageUsageFactory(instance_id=school.pk, used_bytes=512, limit_bytes=1024)
        User.objects.filter(pk=school.owner_id).update(last_login=timezone.now())
        InstanceMove.objects.create(
            instance=school, source_url="a", target_url="b", created_by="minh"
        )
        InstanceSuspension.objects.create(
            instance=school, status_before="TRIAL", reason="nợ", created_by="lan"
        )
        TombstoneFactory(instance=school)
        said = " · ".join(told(back_office, school))
        for part in ("Mở trường", "Bắt đầu chuyển", "Tạm ngưng", "Đã đóng", "Trang tuyển sinh"):
            assert part in said
        assert "Chủ trường đăng nhập gần nhất" in said
        found = panels(back_office, school)
        owed = found["Chủ trường và tiền"]["Còn phải thanh toán trên các đơn đang mở"][0]
        assert owed == "299.000\xa0₫"
        assert "512" in found["Chương trình và lưu trữ"]["Lưu trữ"][0]
        assert len(found["Các đơn gần nhất"]) == 1

    def test_person_tells_schools_and_orders(self, back_office: Client, paid: PaymentOrder) -> None:
        found = panels(back_office, paid.instance.owner)
        assert page_url(paid.instance) in {to for _value, to in found["Các trường"].values()}
        assert page_url(paid) in {to for _value, to in found["Đơn thanh toán"].values()}

    def test_refund_and_receipt_tell_theirs(self, back_office: Client, paid: PaymentOrder) -> None:
        refund = RefundFactory(order=paid)
        assert any(what.startswith("Yêu cầu hoàn tiền") for what in told(back_office, refund))
        receipt = paid.receipts.get()
        assert any(what.startswith("Lập biên nhận") for what in told(back_office, receipt))


def test_events_of_one_moment_are_always_in_one_order() -> None:
    now = timezone.now()
    events = [timeline.Event(at=now, what=str(n), key=f"k{n}") for n in range(5)]
    events.append(timeline.Event(at=now, what="first", key="k9", rank=timeline.BEGUN))
    viewer = User(is_superuser=True, is_active=True)

    def order_of(given: list[timeline.Event]) -> list[str]:
        source = timeline.Source(PaymentOrder, lambda: given)
        return [event.what for event, _to in timeline.timeline_for(viewer, [source]).rows]

    assert order_of(events) == order_of(events[::-1]) == ["4", "3", "2", "1", "0", "first"]


def test_long_timeline_is_cut_and_says_so(
    back_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = PaymentOrderFactory()
    NoteFactory.create_batch(timeline.MOST + 5, about=order)
    shown = detail(back_office, order)
    assert (len(shown["timeline"].rows), shown["timeline"].more) == (timeline.MOST, True)
    assert (len(shown["notes"]), shown["more_notes"]) == (20, True)
    assert "Còn nữa" in back_office.get(page_url(order)).content.decode()


def order_with(count: int) -> PaymentOrder:
    order = PaymentOrderFactory()
    SubscriptionFactory(instance=order.instance)
    for _ in range(count):
        paying = BankTransferFactory(amount=1_000)
        PaymentAllocationFactory(order=order, transfer=paying)
        RefundFactory(order=order)
        CreditEntryFactory(instance=order.instance)
        NoteFactory(about=order)
        EmailFactory(instance=order.instance, context={"order_id": order.order_id})
    return order


def transfer_with(count: int) -> BankTransfer:
    transfer = BankTransferFactory(amount=1_000_000, state="MATCHED")
    for _ in range(count):
        PaymentAllocationFactory(transfer=transfer, amount=1_000)
        BankTransferFactory(state="DUPLICATE", duplicate_of=transfer)
        Refund.objects.create(
            transfer=transfer, source="TRANSFER", amount=1, reason="x", requested_by="lan"
        )
        NoteFactory(about=transfer)
    return transfer


def subscription_with(count: int) -> Any:
    own = SubscriptionFactory()
    for number in range(count):
        own.monthly_price = 1_000 + number
        own.save()
        PaymentOrderFactory(instance=own.instance)
        SubscriptionAdjustmentFactory(subscription=own)
        EmailFactory(instance=own.instance)
        NoteFactory(about=own)
    SubscriptionPeriodFactory(subscription=own)
    return own


def school_with(count: int) -> Any:
    own = subscription_with(count).instance
    for _ in range(count):
        ApiKeyFactory(instance=own)
        CreditEntryFactory(instance=own)
        InstanceMove.objects.create(instance=own, source_url="a", target_url="b", step="DONE")
    return own


@pytest.mark.parametrize(
    ("make", "expected"),
    [(order_with, 26), (transfer_with, 14), (subscription_with, 22), (school_with, 26)],
    ids=["order", "transfer", "subscription", "school"],
)
def test_queries_of_a_page_do_not_grow(
    make: Callable[[int], Any], expected: int, back_office: Client
) -> None:
    rows = [make(3), make(12)]
    counts = []
    back_office.get(page_url(rows[0]))
    for row in rows:
        with CaptureQueriesContext(connection) as queries:
            assert back_office.get(page_url(row)).status_code == 200
        counts.append(len(queries))
    assert counts == [expected, expected]


def test_pages_of_rows_whose_references_dangle_open(back_office: Client) -> None:
    order = PaymentOrderFactory(superseded_by_id=uuid4(), user_id=uuid4())
    own, school = SubscriptionFactory(), InstanceFactory(owner_id=uuid4())
    transfer = BankTransferFactory(instance_id=uuid4())
    receipt, refund = ReceiptFactory(), RefundFactory()
    for row in (order, own, receipt.order, refund.order):
        type(row.instance).all_objects.filter(pk=row.instance_id).hard_delete()
    for row in (order, own, school, transfer, receipt, refund):
        page = back_office.get(page_url(row))
        assert page.status_code == 200
        assert page.context["detail"]["timeline"].rows
    assert PaymentAllocation.objects.count() == 0


def test_what_happened_last_comes_before_the_form(back_office: Client, paid: PaymentOrder) -> None:
    text = back_office.get(page_url(paid)).text
    top = text[text.index("kh-newest") : text.index("kh-copies")]
    assert told(back_office, paid)[0] in unescape(top)
    assert 'href="#course-of-events"' in top
    assert text.count('id="course-of-events"') == 1
