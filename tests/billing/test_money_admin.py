"""Staff ask for refunds, decide on each other's and look at receipts."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing.enums import RefundStatus
from billing.models import PaymentOrder, Receipt, Refund
from billing.services import credit, receipts, refunds
from billing.services.orders import open_order
from billing.services.settlement import settle_transfer
from kitehub.display import money
from kitehub.enums import Tier
from kitehub.models import User
from tests.billing.bookings import NOW, line, paid_order
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.kitehub.backoffice.pages import (
    act,
    act_on_all,
    form_of,
    list_url,
    messages_of,
    page_url,
    results_of,
)

pytestmark = pytest.mark.django_db

ADD = reverse("admin:billing_refund_add")
SUBMIT = {"_form_submitted": "True"}


@pytest.fixture
def order() -> PaymentOrder:
    return paid_order()


@pytest.fixture
def refund(order: PaymentOrder) -> Refund:
    return refunds.request_refund(
        order_id=order.pk, amount=99_000, reason="Chuyển nhầm", actor="lan@kitehub.test", at=NOW
    )


def do(client: Client, row: Any, name: str, **said: str) -> list[str]:
    return messages_of(act(client, row, name, **said))


def ask(client: Client, form: dict[str, str], **options: Any) -> Any:
    """Asks for a refund, as somebody who has looked at what comes of it."""
    said = {**form, "reason": "Khách đổi ý"}
    shown = client.post(ADD, said, **options)
    plan = form_of(shown)["plan"] if shown.status_code == 200 else ""
    return client.post(ADD, {**said, "plan": plan}, **options) if plan else shown


def errors_of(page: Any) -> list[str]:
    """What a form says of itself as a whole."""
    return list(page.context["adminform"].form.non_field_errors())


def clerk(*permissions: str) -> Client:
    person = UserFactory(staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    return client


class TestAsking:
    def test_form_is_filled_in_from_the_order(
        self, back_office: Client, order: PaymentOrder, staff: User
    ) -> None:
        page = back_office.get(page_url(order, "refund"), follow=True)
        form = form_of(page)
        assert (form["order"], form["amount"]) == (str(order.pk), "599000")
        unexplained = back_office.post(ADD, form)
        assert "reason" in unexplained.context["adminform"].form.errors
        answer = ask(back_office, form)
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        refund = Refund.objects.get()
        assert (refund.amount, refund.reason) == (599_000, "Khách đổi ý")
        assert (refund.requested_by, refund.payee_account) == (staff.email, "0071000123456")

    def test_a_form_that_is_sent_twice_asks_once(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        form = form_of(back_office.get(page_url(order, "refund"), follow=True))
        said = {**form, "amount": "200000"}
        assert ask(back_office, said).status_code == 302
        again = ask(back_office, said, follow=True)
        assert "Khoản hoàn tiền này đã được yêu cầu rồi." in again.content.decode()
        assert Refund.objects.get().amount == 200_000
        another = form_of(back_office.get(page_url(order, "refund"), follow=True))
        assert ask(back_office, another | {"amount": "1"}).status_code == 302

    def test_what_comes_of_it_is_seen_before_it_is_asked_for(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        form = form_of(back_office.get(page_url(order, "refund"), follow=True))
        form |= {"amount": "299.000", "reason": "Khách đổi ý"}
        shown = back_office.post(ADD, form)
        told = [each.replace("\xa0", " ") for each in errors_of(shown)]
        assert f"Sẽ hoàn: 299.000 ₫ · {order.order_id}" in told
        assert "Còn lại sau khi hoàn: 300.000 ₫" in told
        assert any(each.startswith("Gửi đến: ") and "0071000123456" in each for each in told)
        assert told[-1].startswith("Chưa thực hiện")
        assert not any("được hoàn toàn bộ" in each for each in told)
        # What is another amount by then is shown anew, and so is what ends the order.
        plan = form_of(shown)["plan"]
        whole = back_office.post(ADD, {**form, "plan": plan, "amount": "599.000"})
        assert any("được hoàn toàn bộ" in each for each in errors_of(whole))
        assert not Refund.objects.exists()
        assert back_office.post(ADD, {**form, "plan": plan}).status_code == 302
        assert Refund.objects.get().amount == 299_000

    def test_what_is_asked_for_is_told_with_who_has_to_follow(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        of_order = form_of(back_office.get(page_url(order, "refund"), follow=True))
        of_line = form_of(back_office.get(page_url(line(5_000), "refund"), follow=True))
        told = []
        for form in (of_order | {"amount": "299.000"}, of_line):
            told += messages_of(ask(back_office, form, follow=True))
        assert [each.replace("\xa0", " ") for each in told] == [
            f"Đã yêu cầu hoàn 299.000 ₫ của đơn {order.order_id}; cần một người khác duyệt.",
            "Đã yêu cầu hoàn 5.000 ₫ của giao dịch chuyển khoản; cần một người khác duyệt.",
        ]

    @pytest.mark.parametrize(
        ("entered", "said"),
        [
            ({"amount": "600000"}, "Nhiều nhất 599.000"),
            ({"amount": "0"}, ""),
            ({"amount": "-5"}, ""),
            ({"amount": "99999999999999999999"}, ""),
            ({"order": ""}, "tiền dư"),
            ({"order": "x"}, ""),
            ({"payee_account": "123"}, "ngân hàng"),
            ({"payee_bank_bin": "000000"}, ""),
            ({"reason": ""}, ""),
        ],
    )
    def test_what_makes_no_sense_is_said_on_the_form(
        self, back_office: Client, order: PaymentOrder, entered: dict[str, str], said: str
    ) -> None:
        shown = form_of(back_office.get(ADD))
        form = {**shown, "order": str(order.pk), "amount": "1000", "reason": "x", **entered}
        answer = back_office.post(ADD, form)
        assert answer.status_code == 200
        assert said in str(answer.context["adminform"].form.errors).replace("\xa0", " ")
        assert not Refund.objects.exists()

    def test_line_with_nothing_left_says_so(self, back_office: Client, order: PaymentOrder) -> None:
        transfer = order.allocations.get().transfer
        said = messages_of(back_office.get(page_url(transfer, "refund"), follow=True))
        assert said == ["Không có gì để hoàn lại."]
        waiting = back_office.get(page_url(line(5_000), "refund"), follow=True)
        assert form_of(waiting)["amount"] == "5000"


class TestOrders:
    def part_paid(self) -> PaymentOrder:
        order = open_order(instance=InstanceFactory(), actor="lan", tier=Tier.STANDARD)
        transfer = line(
            100_000, state="RECEIVED", account_number=order.account_number, memo=order.memo
        )
        settle_transfer(transfer_id=transfer.pk)
        return order

    def test_an_order_that_staff_cancel_gives_back_what_was_paid_on_it(
        self, back_office: Client, staff: User
    ) -> None:
        order = self.part_paid()
        do(back_office, order, "cancel", retyped=order.order_id, reason="Nhầm")
        order.refresh_from_db()
        assert (order.status, order.paid_amount) == ("CANCELLED", 0)
        assert order.cancel_reason == "Nhầm"
        assert order.updated_by == staff.email
        assert credit.balance(instance_id=order.instance_id) == 100_000

    def test_nobody_makes_an_order_paid_by_hand(self, back_office: Client) -> None:
        order = self.part_paid()
        form = form_of(back_office.get(page_url(order)))
        paid = {"paid_at_0": "25/11/2026", "paid_at_1": "10:00", "transaction_reference": "FT1"}
        for status in ("PAID", "EXPIRED", "CANCELLED"):
            back_office.post(page_url(order), {**form, **paid, "status": status})
        order.refresh_from_db()
        assert (order.status, order.paid_at) == ("PENDING", None)
        assert order.transaction_reference is None


class TestDeciding:
    def test_another_person_approves_and_says_that_it_is_sent(
        self, back_office: Client, refund: Refund
    ) -> None:
        page = back_office.get(page_url(refund)).content.decode()
        assert page_url(refund, "approve") in page
        assert "Chờ duyệt" in page
        assert "REQUESTED" not in page, "a label is words there, not code and words"
        assert back_office.get(page_url(refund, "approve")).status_code == 200
        refund.refresh_from_db()
        assert refund.status == RefundStatus.REQUESTED
        assert do(back_office, refund, "approve", reason="Đúng", retyped="99.000") == [
            "Đã duyệt hoàn tiền."
        ]
        file = back_office.get(reverse("admin:billing_refund_payouts"))
        assert "0071000123456" in file.content.decode()
        assert do(back_office, refund, "mark_sent", reference="FT77", retyped="99000") == [
            "Đã ghi nhận ngân hàng chuyển tiền."
        ]
        refund.refresh_from_db()
        assert (refund.status, refund.decision) == (RefundStatus.SENT, "Đúng")
        logged = LogEntry.objects.order_by("action_time")[0].change_message
        assert {"reason": "Đúng"} in json.loads(logged)
        assert page_url(refund, "approve") not in back_office.get(page_url(refund)).content.decode()

    def test_who_asked_is_not_offered_it_and_is_refused(
        self, back_office: Client, order: PaymentOrder, staff: User
    ) -> None:
        own = refunds.request_refund(
            order_id=order.pk, amount=1, reason="x", actor=staff.email, at=NOW
        )
        page = back_office.get(page_url(own)).content.decode()
        assert page_url(own, "approve") not in page
        assert page_url(own, "reject") in page
        assert do(back_office, own, "approve", reason="x", retyped="1") == [
            "Người yêu cầu hoàn tiền không được tự duyệt."
        ]
        assert do(back_office, own, "reject", reason="Nhầm") == ["Đã từ chối hoàn tiền."]

    def test_who_may_only_look_or_ask_decides_nothing(self, refund: Refund) -> None:
        looking = clerk("view_refund", "add_refund", "change_refund", "delete_refund")
        for client in (clerk("view_refund"), looking):
            assert client.get(page_url(refund)).status_code == 200
            for name in ("approve", "reject", "mark_sent"):
                sent = SUBMIT | {"reason": "x", "reference": "x"}
                assert client.post(page_url(refund, name), sent).status_code == 403
            assert client.get(reverse("admin:billing_refund_payouts")).status_code == 403
        assert clerk("view_refund").get(ADD).status_code == 403
        refund.refresh_from_db()
        assert refund.status == RefundStatus.REQUESTED

    def test_what_comes_of_it_is_seen_and_the_amount_typed_again(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        whole = refunds.request_refund(
            order_id=order.pk, amount=599_000, reason="x", actor="lan@kitehub.test", at=NOW
        )
        page = back_office.get(page_url(whole, "approve")).content.decode()
        assert "kỳ đăng ký và biên nhận không còn hiệu lực" in page
        assert "0071000123456" in page
        assert do(back_office, whole, "approve", reason="x", retyped="99.000") == []
        whole.refresh_from_db()
        assert whole.status == RefundStatus.REQUESTED
        said = {"reason": "x", "retyped": "599.000 ₫"}
        assert do(back_office, whole, "approve", **said) == ["Đã duyệt hoàn tiền."]
        (again,) = do(back_office, whole, "approve", **said)
        assert again != "Đã duyệt hoàn tiền."

    def test_of_what_credit_had_paid_the_bank_sends_nothing(self, back_office: Client) -> None:
        order = paid_order(by_credit=500_000)
        refund = refunds.request_refund(
            order_id=order.pk, amount=599_000, reason="x", actor="lan@kitehub.test", at=NOW
        )
        for approved in (False, True):
            if approved:
                refunds.approve(refund_id=refund.pk, actor="minh@kitehub.test", at=NOW)
            copies = back_office.get(page_url(refund)).context["detail"]["copies"]
            assert copies[0].text == "99000", "both times what the bank sends"
        dialog = back_office.get(page_url(refund, "mark_sent")).content.decode()
        assert money(99_000) in dialog
        assert money(500_000) in dialog, "that it is credit again is said"
        assert do(back_office, refund, "mark_sent", reference="FT9", retyped="599.000") == []
        assert do(back_office, refund, "mark_sent", reference="FT9", retyped="99.000")
        refund.refresh_from_db()
        assert refund.status == RefundStatus.SENT

    def test_several_are_approved_each_with_its_result(
        self, back_office: Client, order: PaymentOrder, refund: Refund, staff: User
    ) -> None:
        own = refunds.request_refund(
            order_id=order.pk, amount=1, reason="x", actor=staff.email, at=NOW
        )
        for said in ({}, {"reason": "Đúng"}):
            page = act_on_all(back_office, list_url(Refund), "approve_all", [own, refund], **said)
            assert results_of(page) == {str(own): False, str(refund): True}
        refund.refresh_from_db()
        own.refresh_from_db()
        assert (refund.status, own.status) == (RefundStatus.APPROVED, RefundStatus.REQUESTED)

    def test_of_one_order_only_the_first_is_approved_at_once(
        self, back_office: Client, order: PaymentOrder
    ) -> None:
        halves = [
            refunds.request_refund(
                order_id=order.pk, amount=amount, reason="x", actor="lan@kitehub.test", at=NOW
            )
            for amount in (300_000, 299_000)
        ]
        for expected in ([False, True], [True]):
            # What follows ends the order's period and receipt, which is seen before.
            page = act_on_all(back_office, list_url(Refund), "approve_all", halves, reason="x")
            assert sorted(results_of(page).values()) == expected
            halves = [each for each in halves if Refund.objects.get(pk=each.pk).decided_at is None]
        order.refresh_from_db()
        assert (order.paid_amount, halves) == (0, [])

    def test_who_asked_takes_it_back_without_deciding_others(
        self, order: PaymentOrder, refund: Refund
    ) -> None:
        asking = clerk("view_refund", "request_refund")
        assert "chỉ" in do(asking, refund, "reject", reason="x")[0].lower()
        refund.refresh_from_db()
        assert refund.status == RefundStatus.REQUESTED


def test_receipt_is_seen_printed_found_and_made_void_once(
    back_office: Client, order: PaymentOrder
) -> None:
    receipt = receipts.issue(order=order, at=NOW)
    assert "BN2026-000001" in back_office.get(page_url(receipt)).content.decode()
    assert "biên nhận" in back_office.get(page_url(receipt, "page")).content.decode().lower()
    assert back_office.get(page_url(receipt, "pdf")).content.startswith(b"%PDF")
    for term in ("bn2026-1", "BN2026000001", order.order_id):
        found = back_office.get(list_url(Receipt), {"q": term})
        assert [row.pk for row in found.context["cl"].result_list] == [receipt.pk]
    do(back_office, receipt, "void", reason="Sai tên", retyped="BN2026-000002")
    assert Receipt.objects.count() == 1
    assert do(back_office, receipt, "void", reason="Sai tên", retyped=receipt.code) == [
        "“BN2026-000001” đã bị hủy bởi “BN2026-000002”."
    ]
    assert do(back_office, receipt, "void", reason="Sai tên", retyped=receipt.code) == [
        "“BN2026-000001” đã bị hủy từ trước."
    ]
    looking = clerk("view_receipt")
    assert looking.get(page_url(receipt, "pdf")).status_code == 200
    assert looking.post(page_url(receipt, "void"), SUBMIT | {"reason": "x"}).status_code == 403
