"""Staff cancel orders, give them time, open them anew, mail them again, enter money by hand."""

from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.test import Client
from django.utils import timezone

from billing.enums import ManualPaymentKind
from billing.models import ManualPayment, PaymentOrder
from billing.services import credit, manual
from billing.services.orders import open_order
from billing.services.settlement import settle_transfer
from kitehub.enums import Tier
from kitehub.models import Email
from tests.billing.settling import enroll, expired, line, school, subscribe
from tests.billing.test_money_admin import clerk
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.backoffice.pages import (
    act,
    act_on_all,
    form_of,
    list_url,
    messages_of,
    page_url,
    results_of,
    signed_in,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def order() -> PaymentOrder:
    own = school()
    SubscriptionFactory(instance=own, tier="STANDARD")
    return subscribe(own, at=timezone.now())


def pay(order: PaymentOrder, amount: int) -> None:
    settle_transfer(transfer_id=line(order.memo, amount, at=timezone.now()).pk)
    order.refresh_from_db()


def do(client: Client, row: Any, name: str, **said: str) -> list[str]:
    return messages_of(act(client, row, name, **{"reason": "khách gọi", **said}))


def offered(client: Client, order: PaymentOrder) -> set[str]:
    page = client.get(page_url(order)).content.decode()
    names = ("mark_paid", "cancel", "prolong", "reopen", "send_again")
    return {name for name in names if page_url(order, name) in page}


class TestCancel:
    def test_shows_what_becomes_of_a_part_payment_and_asks_for_the_code(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        pay(order, 100_000)
        dialog = back_office.get(page_url(order, "cancel")).content.decode()
        assert "tiền dư của trường" in dialog
        assert "100.000" in dialog
        order.refresh_from_db()
        assert (order.status, order.paid_amount) == ("PENDING", 100_000), "it was only shown"
        act(back_office, order, "cancel", reason="x", retyped="KH0")
        order.refresh_from_db()
        assert order.status == "PENDING"
        assert do(back_office, order, "cancel", retyped=order.order_id) == ["Đã hủy đơn."]
        order.refresh_from_db()
        assert (order.status, order.cancel_reason) == ("CANCELLED", "khách gọi")
        assert credit.balance(instance_id=order.instance_id) == 100_000
        again = do(back_office, order, "cancel", retyped=order.order_id)
        assert again == ["Đơn đã được hủy từ trước."]

    def test_what_was_seen_before_money_came_is_shown_again(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        seen = form_of(back_office.get(page_url(order, "cancel")))["seen"]
        pay(order, 100_000)
        said = {"seen": seen, "retyped": order.order_id}
        assert do(back_office, order, "cancel", **said) == []
        order.refresh_from_db()
        assert order.status == "PENDING"

    def test_several_have_each_their_result(self, back_office: Client, order: PaymentOrder) -> None:
        other = subscribe(school(), at=timezone.now())
        pay(other, 599_000)
        address, told = list_url(PaymentOrder), {order.order_id: True, other.order_id: False}
        asked = act_on_all(back_office, address, "cancel_all", [order, other])
        assert (results_of(asked), asked.context["form"].is_valid()) == (told, False)
        said: dict[str, str] = {"reason": "dọn"}
        wrong = act_on_all(back_office, address, "cancel_all", [order, other], **said, retyped="2")
        assert list(wrong.context["form"].errors) == ["retyped"], "one of the two can be done"
        order.refresh_from_db()
        assert order.status == "PENDING"
        done = act_on_all(back_office, address, "cancel_all", [order, other], **said)
        assert results_of(done) == told
        again = act_on_all(back_office, address, "cancel_all", [order], reason="dọn")
        assert results_of(again) == {order.order_id: False}
        order.refresh_from_db()
        other.refresh_from_db()
        assert (order.status, other.status) == ("CANCELLED", "PAID")


class TestTime:
    def test_an_open_order_gets_more_and_its_terms_stay(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        before = order.memo, order.amount
        (said,) = do(back_office, order, "prolong", hours="72")
        assert said.startswith("Có thể thanh toán đến")
        order.refresh_from_db()
        assert abs(order.expires_at - timezone.now() - 72 * HOUR) < HOUR
        assert (order.memo, order.amount) == before

    @pytest.mark.parametrize("hours", ["0", "1", "999999", "x"])
    def test_less_or_nonsense_is_refused(
        self, back_office: Client, order: PaymentOrder, hours: str
    ) -> None:
        before = order.expires_at
        assert do(back_office, order, "prolong", hours=hours) == []
        order.refresh_from_db()
        assert order.expires_at == before

    def test_an_expired_one_is_opened_anew_once(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        expired(order)
        assert do(back_office, order, "prolong", hours="72") == []
        assert offered(back_office, order) == {"mark_paid", "reopen"}
        (said,) = do(back_office, order, "reopen")
        opened = PaymentOrder.objects.exclude(pk=order.pk).get()
        assert said == f"Đã mở đơn {opened.order_id}."
        assert (opened.amount, opened.tier, opened.months) == (order.amount, "STANDARD", 1)
        order.refresh_from_db()
        assert order.superseded_by_id == opened.pk
        (again,) = do(back_office, order, "reopen")
        assert "thay bằng đơn khác" in again
        assert PaymentOrder.objects.count() == 2


def test_who_opens_a_part_paid_order_anew_types_its_code(
    back_office: Client, order: PaymentOrder
) -> None:
    pay(order, 100_000)
    expired(order)
    for wrong in ({}, {"retyped": "KH0"}):
        assert do(back_office, order, "reopen", **wrong) == []
    assert PaymentOrder.objects.count() == 1
    assert len(do(back_office, order, "reopen", retyped=order.order_id)) == 1
    assert PaymentOrder.objects.count() == 2


def test_opening_anew_names_the_order_that_it_cancels_and_its_money(
    back_office: Client, order: PaymentOrder
) -> None:
    expired(order)
    now = timezone.now()
    other = subscribe(order.instance, Tier.PREMIUM, at=now, months=12)  # type: ignore[arg-type]
    pay(other, 100_000)
    page = back_office.get(page_url(order, "reopen")).text
    assert f"{other.order_id} · 15.588.000\xa0₫ · Cao cấp · 12 tháng" in page
    assert f"{other.order_id} · 100.000\xa0₫" in page
    assert "retyped" in page
    assert do(back_office, order, "reopen") == []
    other.refresh_from_db()
    assert other.status == "PENDING"
    assert len(do(back_office, order, "reopen", retyped=order.order_id)) == 1
    other.refresh_from_db()
    assert (other.status, other.paid_amount) == ("CANCELLED", 0)


def test_opening_anew_says_that_credit_pays_it_at_once(
    back_office: Client, order: PaymentOrder
) -> None:
    expired(order)
    assert "retyped" not in form_of(back_office.get(page_url(order, "reopen")))
    credit.grant(
        instance_id=order.instance_id,  # type: ignore[arg-type]
        amount=order.amount,
        reason="x",
        actor="lan",
        at=timezone.now(),
    )
    page = back_office.get(page_url(order, "reopen"))
    assert "599.000\xa0₫ tiền dư của trường" in page.text
    assert "retyped" in form_of(page)


def test_mail_goes_out_once_more_and_not_twice_within_a_minute(
    back_office: Client, order: PaymentOrder
) -> None:
    sent = do(back_office, order, "send_again")
    assert order.instance is not None
    assert order.instance.owner is not None
    assert sent == [f"Email tới {order.instance.owner.email} đang chờ gửi."]
    assert Email.objects.filter(reason__startswith=f"payment:{order.order_id}").count() == 1
    pay(order, 599_000)
    (refused,) = do(back_office, order, "send_again")
    assert refused == "Chỉ đơn gói đăng ký đang chờ thanh toán mới có email."


def test_the_owner_has_no_mail_of_a_students_order(
    back_office: Client, order: PaymentOrder
) -> None:
    assert order.instance is not None
    course = enroll(order.instance, at=timezone.now())
    assert offered(back_office, course) == {"mark_paid", "cancel", "prolong"}
    (refused,) = do(back_office, course, "send_again")
    assert refused == "Chỉ đơn gói đăng ký đang chờ thanh toán mới có email."
    assert not Email.objects.exists()


class TestByHand:
    SAID: ClassVar = {
        "kind": "BANK",
        "amount": "599000",
        "reference": "FT26327000001",
        "evidence": "Ảnh 14, chị Hoa",
        "memo": "NGUYEN A dong hoc phi",
    }

    def said(self, order: PaymentOrder, **other: str) -> dict[str, str]:
        at = timezone.localtime(timezone.now() - HOUR / 60)
        moment = {"received_at_0": f"{at:%d/%m/%Y}", "received_at_1": f"{at:%H:%M}"}
        return {**self.SAID, **moment, "retyped": order.order_id, **other}

    def test_one_enters_and_another_confirms(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        assert back_office.get(page_url(order, "mark_paid")).status_code == 200
        (entered,) = do(back_office, order, "mark_paid", **self.said(order))
        assert entered == "Đã nhập khoản thanh toán. Cần một người khác xác nhận."
        again = act(back_office, order, "mark_paid", **self.said(order), reason="x")
        assert "Đã có người nhập" in again.text
        payment = ManualPayment.objects.get()
        own = back_office.get(page_url(payment)).content.decode()
        assert page_url(payment, "confirm") not in own
        assert page_url(payment, "reject") in own
        (refused,) = do(back_office, payment, "confirm", retyped="599.000")
        assert refused == "Người nhập khoản thanh toán không được tự xác nhận."
        other = signed_in("minh@kitehub.test")
        dialog = other.get(page_url(payment, "confirm")).content.decode()
        assert "đã trả đủ" in dialog
        assert act(other, payment, "confirm", reason="x", retyped="1").status_code == 200
        order.refresh_from_db()
        assert order.status == "PENDING"
        for said in ("Đã xác nhận và ghi sổ khoản thanh toán.", "từ trước"):
            assert said in do(other, payment, "confirm", retyped="599.000 ₫")[0]
        order.refresh_from_db()
        assert (order.status, order.transaction_reference) == ("PAID", "FT26327000001")

    def test_money_that_came_after_the_dialog_was_opened_is_shown_before_it_is_confirmed(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        do(back_office, order, "mark_paid", **self.said(order))
        payment, other = ManualPayment.objects.get(), signed_in("minh@kitehub.test")
        confirm = page_url(payment, "confirm")
        said = {"_form_submitted": "True", "reason": "x", "retyped": "599.000"}
        seen = form_of(other.get(confirm))["seen"]
        pay(order, 598_000)
        again = other.post(confirm, {**said, "seen": seen})
        assert "598.000" in again.text, "is credit now"
        payment.refresh_from_db()
        assert payment.status == "REQUESTED"
        other.post(confirm, {**said, "seen": form_of(again)["seen"]})
        payment.refresh_from_db()
        assert payment.status == "CONFIRMED"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"retyped": "KH0"},
            {"amount": "0"},
            {"amount": "99999999999999"},
            {"kind": "GOLD"},
            {"reference": ""},
            {"evidence": " "},
            {"received_at_0": "31/02/2026"},
            {"received_at_0": "01/01/2999"},
            {"reason": ""},
        ],
    )
    def test_nonsense_enters_nothing(
        self, back_office: Client, order: PaymentOrder, wrong: dict[str, str]
    ) -> None:
        do(back_office, order, "mark_paid", **self.said(order, **wrong))
        assert not ManualPayment.objects.exists()

    def test_several_are_confirmed_each_for_itself(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        payments = [
            manual.enter_payment(
                order_id=order.pk,
                kind="CASH",  # type: ignore[arg-type]
                amount=100_000,
                received_at=timezone.now(),
                reference=by,
                evidence="x",
                actor=by,
                reason="x",
                at=timezone.now(),
            )
            for by in ("lan", "staff@kitehub.test")
        ]
        address = list_url(ManualPayment)
        page = act_on_all(back_office, address, "confirm_all", payments, reason="Đúng")
        assert sorted(results_of(page).values()) == [False, True]
        order.refresh_from_db()
        assert order.paid_amount == 100_000

    def test_of_one_order_only_the_first_is_confirmed_at_once(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        payments = [
            manual.enter_payment(
                order_id=order.pk,
                kind=ManualPaymentKind.CASH,
                amount=400_000,
                received_at=timezone.now(),
                reference=reference,
                evidence="x",
                actor="lan",
                reason="x",
                at=timezone.now(),
            )
            for reference in ("PT-1", "PT-2")
        ]
        address = list_url(ManualPayment)
        page = act_on_all(back_office, address, "confirm_all", payments, reason="Đúng")
        assert sorted(results_of(page).values()) == [False, True]
        order.refresh_from_db()
        assert (order.status, order.paid_amount) == ("PENDING", 400_000)


def test_each_action_asks_for_its_own_permission(order: PaymentOrder) -> None:
    looking = clerk("view_paymentorder", "change_paymentorder", "view_manualpayment")
    sent = {"_form_submitted": "True", "reason": "x", "retyped": order.order_id}
    for name in ("mark_paid", "cancel", "prolong", "reopen", "send_again"):
        assert looking.post(page_url(order, name), sent).status_code == 403
    assert offered(looking, order) == set()
    cancels = clerk("view_paymentorder", "cancel_order")
    assert offered(cancels, order) == {"cancel"}
    assert open_order(instance=school(), actor="lan", tier=Tier.BASIC).status == "PENDING"
