"""One person enters money that no feed told, another confirms it, and it counts once."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing import migrations
from billing.admin.manual_payments import confirmed
from billing.enums import FeedProvider, ManualPaymentKind, TransferDirection
from billing.feeds import Line
from billing.models import BankTransfer, ManualPayment, PaymentOrder, PlannedMatch, Receipt
from billing.services import credit, inbox, manual, planned
from billing.services.orders import cancel_order
from billing.services.settlement import settle_transfer
from billing.services.transfers import record
from billing.twins import CASH_ACCOUNT
from kitehub.db.invariants import findings
from tests.billing.settling import NOW, OWN, SCHOOLS, enroll, school, subscribe
from tests.billing.test_money_admin import clerk
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.backoffice.pages import act, act_on_all, list_url, page_url, results_of
from tests.kitehub.db.records import execute

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)
DAY = timedelta(days=1)


OF_BANKS = ["Mã giao dịch ngân hàng", "Số tài khoản", "Nội dung chuyển khoản"]


def enter(order: PaymentOrder, amount: int = 599_000, **said: Any) -> ManualPayment:
    told: dict[str, Any] = {
        "kind": ManualPaymentKind.BANK,
        "received_at": NOW + timedelta(hours=1),
        "reference": "FT26327000001",
        "evidence": "Ảnh sao kê 14, chị Hoa chụp",
        "actor": "lan",
        "reason": "Kênh báo bị gián đoạn",
        "at": LATER,
        **said,
    }
    return manual.enter_payment(order_id=order.pk, amount=amount, **told)


def confirm(payment: ManualPayment, actor: str = "minh") -> ManualPayment:
    return manual.confirm_payment(payment_id=payment.pk, actor=actor, at=LATER, decision="Đúng")


def feed(order: PaymentOrder, amount: int = 599_000, **said: Any) -> Line:
    told: dict[str, Any] = {
        "provider": FeedProvider.SEPAY,
        "provider_id": "9001",
        "account_number": OWN,
        "direction": TransferDirection.IN,
        "amount": amount,
        "memo": f"MBVCB {order.memo} chuyen tien",
        "reference": "FT26327000001",
        "transferred_at": NOW + timedelta(hours=1),
        **said,
    }
    return Line(**told)


def test_nothing_is_booked_before_another_person_confirms() -> None:
    order = subscribe(school())
    payment = enter(order)
    assert (payment.status, payment.transfer, payment.account_number) == ("REQUESTED", None, OWN)
    assert not BankTransfer.objects.exists()
    with pytest.raises(manual.CannotEnter, match="không được tự xác nhận"):
        confirm(payment, "lan")
    confirmed = confirm(payment)
    order.refresh_from_db()
    transfer = BankTransfer.objects.get()
    assert (order.status, order.paid_at) == ("PAID", NOW + timedelta(hours=1))
    assert order.transaction_reference == "FT26327000001"
    assert (transfer.provider, transfer.state, transfer.unmatched) == ("MANUAL", "MATCHED", 0)
    assert transfer.raw["evidence"] == payment.evidence
    assert (confirmed.transfer, confirmed.decided_by) == (transfer, "minh")
    assert Receipt.objects.filter(order=order).count() == 1
    with pytest.raises(manual.CannotEnter, match="từ trước"):
        confirm(payment)
    with pytest.raises(manual.CannotEnter, match="từ trước"):
        manual.reject_payment(payment_id=payment.pk, actor="minh", at=LATER, decision="x")


def test_more_than_the_order_asks_for_is_credit_and_less_leaves_it_open() -> None:
    own = school()
    SubscriptionFactory(instance=own)
    order = subscribe(own)
    confirm(enter(order, 100_000))
    order.refresh_from_db()
    assert (order.status, order.paid_amount) == ("PENDING", 100_000)
    confirm(enter(order, 500_000, reference="FT2"))
    order.refresh_from_db()
    assert (order.status, credit.balance(instance_id=own.pk)) == ("PAID", 1_000)
    assert [each for each in findings(connection) if each.broken] == []


@pytest.mark.parametrize("first", ["hand", "feed"])
def test_the_same_money_told_by_a_feed_counts_once(first: str) -> None:
    order = subscribe(school())
    if first == "feed":
        told = record(feed(order), at=LATER)
        settle_transfer(transfer_id=told.transfer_id, at=LATER)
        other = subscribe(order.instance, at=LATER)  # type: ignore[arg-type]
        with pytest.raises(manual.AlreadyTold) as refused:
            enter(other)
        assert refused.value.transfer_id == told.transfer_id
        return
    confirm(enter(order))
    told = record(feed(order), at=LATER)
    assert told.state == "DUPLICATE"
    assert order.allocations.count() == 1


def test_a_feed_that_tells_it_before_it_is_confirmed_stops_the_confirmation() -> None:
    order = subscribe(school())
    payment = enter(order)
    told = record(feed(order), at=LATER)
    with pytest.raises(manual.AlreadyTold):
        confirm(payment)
    payment.refresh_from_db()
    assert payment.status == "REQUESTED"
    assert BankTransfer.objects.get().pk == told.transfer_id


def test_without_the_banks_reference_the_code_in_the_memo_tells_the_twin() -> None:
    order = subscribe(school())
    confirm(enter(order, reference="Ảnh 14"))
    assert record(feed(order, reference=""), at=LATER).state == "DUPLICATE"
    # One that says the same once more is another payment.
    assert record(feed(order, reference="", provider_id="9002"), at=LATER).state == "RECEIVED"


@pytest.mark.parametrize("amount", [599_000, 200_000])
def test_what_may_have_been_entered_by_hand_waits_for_a_person(amount: int) -> None:
    """The reference is a photo's number, and the bank booked the next day."""
    order = subscribe(school())
    confirm(enter(order, amount, reference="Ảnh 12"))
    later = NOW + timedelta(hours=25)
    told = record(feed(order, amount, reference="FT999", transferred_at=later), at=LATER)
    assert settle_transfer(transfer_id=told.transfer_id, at=LATER) == "UNMATCHED"
    assert BankTransfer.objects.get(pk=told.transfer_id).reason == "BY_HAND"
    assert credit.balance(instance_id=order.instance_id) == 0  # type: ignore[arg-type]
    order.refresh_from_db()
    assert order.paid_amount == amount


def test_another_payment_than_the_one_by_hand_is_settled_as_ever() -> None:
    order = subscribe(school())
    confirm(enter(order, reference="Ảnh 12"))
    assert record(feed(order, reference=""), at=LATER).state == "DUPLICATE"
    lines = [
        feed(order, reference="FT2", provider_id="9002"),  # its source has told the other already
        feed(order, 598_000, reference="FT3", provider_id="9003"),
        feed(order, provider="CASSO", reference="FT4", transferred_at=NOW + timedelta(days=5)),
    ]
    for each in lines:
        told = record(each, at=LATER)
        assert settle_transfer(transfer_id=told.transfer_id, at=LATER) == "MATCHED"
    assert credit.balance(instance_id=order.instance_id) == 1_796_000  # type: ignore[arg-type]


def test_cash_is_no_banks_line() -> None:
    order = subscribe(school())
    confirm(enter(order, kind=ManualPaymentKind.CASH, reference="PT-0012"))
    order.refresh_from_db()
    assert (order.status, order.transaction_reference) == ("PAID", "PT-0012")
    assert BankTransfer.objects.get().account_number == CASH_ACCOUNT
    assert record(feed(order, reference="PT-0012"), at=LATER).state == "RECEIVED"


def test_course_is_paid_on_the_schools_account_and_more_waits() -> None:
    order = enroll(school())
    confirm(enter(order, 600_000))
    order.refresh_from_db()
    transfer = BankTransfer.objects.get()
    assert (order.status, transfer.account_number, transfer.instance_id) == (
        "PAID",
        SCHOOLS,
        order.instance_id,
    )
    assert (transfer.state, transfer.unmatched) == ("UNMATCHED", 100_000)


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0},
        {"amount": 10**14},
        {"received_at": LATER + timedelta(seconds=1)},
        {"reference": " "},
        {"evidence": ""},
        {"reason": ""},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(manual.CannotEnter):
        enter(subscribe(school()), **wrong)
    assert not ManualPayment.objects.exists()


def test_the_same_paper_is_entered_once_until_it_is_rejected() -> None:
    order = subscribe(school())
    payment = enter(order)
    with pytest.raises(manual.CannotEnter, match="FT26327000001"):
        enter(subscribe(school()))
    with pytest.raises(manual.CannotEnter, match="Đã có người nhập"):
        enter(order, reference=" ft-26327 000001")
    with pytest.raises(manual.CannotEnter, match="phải có mã giao dịch ngân hàng"):
        enter(order, reference="-/·")
    with pytest.raises(manual.CannotEnter, match="lý do"):
        manual.reject_payment(payment_id=payment.pk, actor="lan", at=LATER, decision=" ")
    manual.reject_payment(payment_id=payment.pk, actor="lan", at=LATER, decision="Nhầm đơn")
    assert enter(order).status == "REQUESTED"


def test_cash_papers_are_told_apart_by_letters_and_digits_alone() -> None:
    order = subscribe(school())
    cash: Any = {"kind": ManualPaymentKind.CASH, "amount": 300_000}
    enter(order, reference="Phiếu-01", **cash)
    with pytest.raises(manual.CannotEnter):
        enter(order, reference="PHIEU 01", **cash)
    enter(order, reference="Phiếu-01")  # the bank's own


def test_schools_number_their_papers_each_for_itself() -> None:
    cash: Any = {"kind": ManualPaymentKind.CASH, "amount": 250_000, "reference": "PT-001"}
    first = enroll(school())
    enter(first, **cash)
    enter(enroll(school()), **cash)
    assert first.instance is not None
    with pytest.raises(manual.CannotEnter, match="PT-001"):
        enter(enroll(first.instance, student="Bình"), **cash)
    # What is paid to KiteHub has one row of numbers, whichever school it is of.
    enter(subscribe(first.instance), **cash)
    with pytest.raises(manual.CannotEnter, match="PT-001"):
        enter(subscribe(school()), **cash)


def test_a_page_of_cash_names_no_account(back_office: Client) -> None:
    payment = enter(enroll(school()), 250_000, kind=ManualPaymentKind.CASH, reference="PT-2")
    page = back_office.get(page_url(payment)).content.decode()
    assert "PT-2" in page
    assert "Số chứng từ" in page
    assert f"{manual.CASH_ACCOUNT}:" not in page
    assert not [said for said in OF_BANKS if said in page]
    (line, *_rest) = confirmed(payment, "minh")
    assert line.label == "Tiền mặt"


def test_a_page_of_a_bank_line_names_its_reference_and_account(back_office: Client) -> None:
    payment = enter(subscribe(school()), reference="FT77")
    page = back_office.get(page_url(payment)).content.decode()
    assert [said for said in OF_BANKS if said in page] == OF_BANKS
    assert "Số chứng từ" not in page
    assert ("Hình thức thanh toán" in page, "Đã thấy gì" in page) == (True, False)
    assert confirmed(payment, "minh")[0].label == "Chuyển khoản"


def test_what_was_entered_before_gets_its_school_and_loses_it_on_the_way_back() -> None:
    cash: Any = {"kind": ManualPaymentKind.CASH, "amount": 250_000, "reference": "PT-001"}
    first, second = enroll(school()), enroll(school())
    told = [enter(first, **cash), enter(second, **cash, at=LATER + timedelta(minutes=1))]
    told += [enter(subscribe(school()), **cash | {"reference": "PT-9"}), enter(second, 250_000)]

    def accounts(way: str) -> list[str]:
        sql = Path(migrations.__file__).parent / f"sql/0038_v18_papers_of_schools.{way}.sql"
        with connection.cursor() as cursor:
            cursor.execute(f"SET CONSTRAINTS ALL IMMEDIATE; {sql.read_text('utf-8')}")
        return [ManualPayment.objects.get(pk=each.pk).account_number for each in told]

    theirs = [f"CASH:{first.instance_id}", f"CASH:{second.instance_id}", "CASH:KITEHUB", SCHOOLS]
    assert [each.account_number for each in told] == theirs
    # Two with the same number can't both go back to what there was; nothing else is touched.
    assert accounts("down") == ["", f"CASH:{second.instance_id}", "", SCHOOLS]
    assert accounts("up") == theirs
    with pytest.raises(IntegrityError, match="stays as it was entered"), transaction.atomic():
        ManualPayment.objects.filter(pk=told[0].pk).update(account_number="")


def test_the_preview_warns_of_as_much_for_the_same_order() -> None:
    order = subscribe(school())
    first, second = enter(order, 200_000), enter(order, 200_000, reference="Ảnh 12")
    said = feed(order, 200_000, reference="FT7", transferred_at=NOW + timedelta(days=1))
    told = record(said, at=LATER)
    settle_transfer(transfer_id=told.transfer_id, at=LATER)
    enter(order, 100_000, reference="FT8")
    by_hand, by_bank, *_rest = [line for line in confirmed(second, "minh") if line.warns]
    assert by_hand.label == "Đã nhập tay trước đó"
    assert first.reference in by_hand.value
    assert by_bank.label == "Ngân hàng đã báo đúng số tiền này"
    assert "FT7" in by_bank.value


def test_both_previews_warn_of_as_much_that_waits_in_the_inbox(back_office: Client) -> None:
    own = school()
    SubscriptionFactory(instance=own)
    order, at = subscribe(own, at=timezone.now() - DAY), timezone.now() - timedelta(hours=1)
    said = {"reference": "FT26330123456", "memo": "nop hoc phi", "transferred_at": at}
    told = record(feed(order, **said), at=timezone.now())
    others = [
        feed(order, 598_000, provider_id="9002", **said),
        feed(order, provider_id="9003", **said | {"account_number": SCHOOLS}),
        feed(order, provider_id="9004", **said | {"transferred_at": at - 5 * DAY}),
    ]
    for each in (told, *[record(each, at=timezone.now()) for each in others]):
        settle_transfer(transfer_id=each.transfer_id, at=timezone.now())
    entering = {
        "kind": "BANK",
        "amount": "599000",
        "reference": "FT2633O123456",  # O for 0
        "evidence": "ảnh",
        "received_at_0": f"{timezone.localtime(at):%d/%m/%Y}",
        "received_at_1": f"{timezone.localtime(at):%H:%M}",
        "retyped": order.order_id,
        "reason": "x",
        "_form_submitted": "True",
    }
    page = back_office.post(page_url(order, "mark_paid"), entering)
    assert page.text.count("có phải cùng một khoản") == 1
    assert "FT26330123456 · nop hoc phi" in page.text
    assert not ManualPayment.objects.exists(), "it is shown first"
    act(back_office, order, "mark_paid", **entering)
    payment = ManualPayment.objects.get()
    (warned,) = [line.value for line in confirmed(payment, "minh") if "cùng một" in line.label]
    assert "FT26330123456 · nop hoc phi" in warned
    cash: Any = {"kind": ManualPaymentKind.CASH, "received_at": at - 3 * DAY, "reference": "PT-1"}
    handed = enter(subscribe(school(), at=at - 4 * DAY), at=timezone.now(), **cash)
    assert {each.amount for each in manual.waiting_alike(handed)} == {599_000}


def test_the_preview_says_what_is_booked_and_what_becomes_credit() -> None:
    order = subscribe(school())
    said = {line.label: line.value for line in confirmed(enter(order, 5_990_000), "minh")}
    assert said[order.order_id].startswith("599.000\xa0₫")
    assert said["Chuyển thành tiền dư của trường"] == "5.391.000\xa0₫"
    less = subscribe(school())
    found = confirmed(enter(less, 99_000, reference="FT9"), "minh")
    said = {line.label: line.value for line in found}
    assert said[less.order_id].startswith("99.000\xa0₫")
    assert "Chuyển thành tiền dư của trường" not in said


def taken_off() -> tuple[PaymentOrder, PaymentOrder, BankTransfer]:
    """Its order and another one of as much, and the line of a payment by hand that waits again."""
    at = timezone.now() - timedelta(hours=2)
    order, other = subscribe(school(), at=at), subscribe(school(), at=at)
    now = {"received_at": at + timedelta(hours=1), "at": at + timedelta(hours=1)}
    payment = enter(order, 100_000, memo=other.order_id, **now)
    transfer: Any = manual.confirm_payment(
        payment_id=payment.pk, actor="minh", at=now["at"]
    ).transfer
    inbox.unmatch(allocation_id=order.allocations.get().pk, actor="lan", reason="x", at=now["at"])
    return order, other, transfer


def test_what_two_people_confirmed_for_an_order_goes_elsewhere_by_two_people_too() -> None:
    order, other, transfer = taken_off()
    elsewhere: dict[str, Any] = {"transfer_id": transfer.pk, "parts": [(other.pk, 100_000)]}
    kept: dict[str, Any] = {"transfer_id": transfer.pk, "instance": order.instance}
    plan: dict[str, Any] = {"transfer_id": transfer.pk, "order_id": other.pk, "at": timezone.now()}
    for by in ({"actor": "lan", "approves": True}, {"actor": "hoa"}):
        with pytest.raises(inbox.CannotMatch, match=order.order_id):
            inbox.match_transfer(**elsewhere, **by, reason="x")  # type: ignore[arg-type]
        with pytest.raises(inbox.CannotMatch, match=order.order_id):
            inbox.keep_transfer_as_credit(**kept, **by, reason="x")  # type: ignore[arg-type]
        with pytest.raises(inbox.CannotMatch, match=order.order_id):
            planned.plan_match(**plan, **by)  # type: ignore[arg-type]
    own = [(order.pk, 40_000)]
    inbox.match_transfer(transfer_id=transfer.pk, parts=own, actor="lan", reason="x")
    planned.plan_match(**plan, actor="hoa", approves=True)
    assert planned.book_due(at=timezone.now() + timedelta(minutes=1)).booked == 1
    other.refresh_from_db()
    assert other.paid_amount == 60_000


def test_in_the_back_office_it_takes_who_may_confirm_and_has_not_entered_it() -> None:
    order, other, transfer = taken_off()
    cancel_order(order_id=order.pk, actor="lan", reason="x")  # so one is the likeliest
    looking = ("view_banktransfer", "change_banktransfer", "match_transfer")
    said = {"code": other.order_id, "retyped": "100000", "reason": "x"}
    sorting, deciding = clerk(*looking), clerk(*looking, "approve_payment")
    kept = {**said, "subdomain": str(other.instance and other.instance.subdomain)}
    refused = "chỉ người có quyền xác nhận"
    for name, told in (("assign", said), ("keep", kept)):
        assert refused in act(sorting, transfer, name, **told).text
    pressed = {"line": str(transfer.pk), "order": str(other.pk)}
    inbox_ = reverse("admin:billing_banktransfer_inbox_assign")
    assert refused in sorting.post(inbox_, pressed, follow=True).text
    assert not PlannedMatch.objects.exists()
    page = act_on_all(sorting, list_url(BankTransfer), "assign_best", [transfer], reason="x")
    assert list(results_of(page).values()) == [False]
    assert refused in page.text
    act(deciding, transfer, "assign", **said)
    other.refresh_from_db()
    assert other.paid_amount == 100_000


def test_an_order_that_can_not_be_paid_any_more_takes_nothing() -> None:
    order = subscribe(school())
    payment = enter(order)
    cancel_order(order_id=order.pk, actor="lan", reason="x", at=LATER)
    with pytest.raises(manual.CannotEnter, match="Đã hủy"):
        confirm(payment)
    with pytest.raises(manual.CannotEnter, match="Đã hủy"):
        enter(order, reference="FT9")
    assert not BankTransfer.objects.exists()


def test_a_payment_for_a_deleted_order_is_refused_in_words(back_office: Client) -> None:
    order = subscribe(school())
    payment = enter(order)
    order.delete()
    with pytest.raises(manual.CannotEnter, match=order.order_id):
        confirm(payment)
    assert "đã bị xóa" in back_office.get(page_url(payment, "confirm")).text
    payment.refresh_from_db()
    assert payment.status == "REQUESTED"


def test_the_database_holds_the_two_people_and_what_was_entered() -> None:
    def entered(state: str) -> ManualPayment:
        order = subscribe(school())
        payment = enter(order, reference=str(order.pk))
        if state == "CONFIRMED":
            confirm(payment)
        elif state == "REJECTED":
            manual.reject_payment(payment_id=payment.pk, actor="lan", at=LATER, decision="x")
        return ManualPayment.objects.get(pk=payment.pk)

    for statement in (
        "UPDATE manual_payments SET amount = 1 WHERE id = %s",
        "UPDATE manual_payments SET status = 'REJECTED' WHERE id = %s",
        "UPDATE manual_payments SET decided_by = 'hoa' WHERE id = %s",
        "DELETE FROM manual_payments WHERE id = %s",
    ):
        key = entered("CONFIRMED").pk
        with pytest.raises(IntegrityError), transaction.atomic():
            execute(statement, key)
    own = entered("REQUESTED")
    with pytest.raises(IntegrityError, match=r"two_people|transfer_check"):
        execute(
            "UPDATE manual_payments SET status = 'CONFIRMED', decided_by = 'lan',"
            " decided_at = now() WHERE id = %s",
            own.pk,
        )
