"""A bank line that tells again of money entered by hand counts once, and that is undone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.enums import ManualPaymentKind
from billing.models import BankTransfer, ManualPayment, PaymentOrder
from billing.services import credit, duplicates, inbox, planned
from billing.services.inbox import CannotMatch
from billing.services.settlement import settle_transfer
from billing.services.transfers import record
from kitehub.db.invariants import findings
from tests.billing.bookings import line
from tests.billing.settling import NOW, OWN, SCHOOLS, enroll, school, subscribe
from tests.billing.test_manual_payments import LATER, confirm, enter, feed
from tests.billing.test_money_admin import clerk, do
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.backoffice.pages import form_of, page_url

pytestmark = pytest.mark.django_db
INBOX = reverse("admin:billing_banktransfer_inbox")
NEXT_DAY = NOW + timedelta(hours=25)


@pytest.fixture
def order() -> PaymentOrder:
    own = school()
    SubscriptionFactory(instance=own)
    return subscribe(own)


@pytest.fixture
def payment(order: PaymentOrder) -> ManualPayment:
    """Entered off a photo, so that the bank's line doesn't know it."""
    return confirm(enter(order, reference="Ảnh 12"))


@pytest.fixture
def told(order: PaymentOrder, payment: ManualPayment) -> BankTransfer:
    return tell(order)


def tell(order: PaymentOrder, **said: Any) -> BankTransfer:
    """What the bank says of it on the next day, which waits for a person."""
    fresh = feed(order, **{"reference": "FT999", "transferred_at": NEXT_DAY, **said})
    found = record(fresh, at=LATER)
    assert settle_transfer(transfer_id=found.transfer_id, at=LATER) == "UNMATCHED"
    return BankTransfer.objects.get(pk=found.transfer_id)


def mark(
    told: BankTransfer, payment: ManualPayment, reason: str = "Cùng một khoản"
) -> BankTransfer:
    told_id = payment.transfer_id or UUID(int=0)
    return duplicates.mark_duplicate(
        transfer_id=told.pk, told_id=told_id, actor="lan", reason=reason, at=LATER
    )


def books() -> tuple[int, int]:
    """What the books say was received, and what of it is for nothing."""
    rows = BankTransfer.objects.money_in()
    return sum(row.amount for row in rows), sum(row.unmatched for row in rows)


def test_the_money_counts_once_and_twice_again_where_that_is_undone(
    order: PaymentOrder, payment: ManualPayment, told: BankTransfer
) -> None:
    assert books() == (1_198_000, 599_000)
    assert list(duplicates.entered_alike(told)) == [payment]
    done = mark(told, payment)
    assert (done.state, done.duplicate_of, done.reason) == (
        "DUPLICATE",
        payment.transfer,
        "BY_HAND",
    )
    assert "Cùng một khoản" in done.note
    assert books() == (599_000, 0)
    order.refresh_from_db()
    assert (order.status, order.paid_amount, order.allocations.count()) == ("PAID", 599_000, 1)
    assert [each for each in findings(connection) if each.broken] == []
    back = duplicates.unmark_duplicate(transfer_id=told.pk, actor="minh", reason="Khoản khác")
    assert (back.state, back.duplicate_of, back.reason) == ("UNMATCHED", None, "BY_HAND")
    assert (back.settled_at, books()) == (None, (1_198_000, 599_000))
    with pytest.raises(CannotMatch, match="Chưa ai"):
        duplicates.unmark_duplicate(transfer_id=told.pk, actor="minh", reason="x")
    assert [each for each in findings(connection) if each.broken] == []


def test_what_the_same_source_tells_then_is_another_payment(
    order: PaymentOrder, payment: ManualPayment, told: BankTransfer
) -> None:
    mark(told, payment)
    other = feed(order, reference="FT1000", provider_id="9002", transferred_at=NEXT_DAY)
    found = record(other, at=LATER)
    assert settle_transfer(transfer_id=found.transfer_id, at=LATER) == "MATCHED"
    assert books() == (1_198_000, 0)


def assigned(told: BankTransfer, order: PaymentOrder) -> None:
    inbox.keep_transfer_as_credit(
        transfer_id=told.pk,
        instance=order.instance,
        amount=1,
        actor="lan",
        reason="x",  # type: ignore[arg-type]
    )


def planned_for(told: BankTransfer, order: PaymentOrder) -> None:
    now = timezone.now()
    other = subscribe(school(), at=now - timedelta(hours=1))
    BankTransfer.objects.filter(pk=told.pk).update(state="UNMATCHED")
    planned.plan_match(transfer_id=told.pk, order_id=other.pk, actor="lan", at=now)


def put_aside(told: BankTransfer, order: PaymentOrder) -> None:
    inbox.discard(transfer_id=told.pk, actor="lan", reason="x")


@pytest.mark.parametrize("before", [assigned, planned_for, put_aside])
def test_a_line_that_is_something_else_by_now_is_no_payments_money(
    before: Callable[[BankTransfer, PaymentOrder], None],
    order: PaymentOrder,
    payment: ManualPayment,
    told: BankTransfer,
) -> None:
    before(told, order)
    with pytest.raises(CannotMatch):
        mark(told, payment)
    told.refresh_from_db()
    assert told.duplicate_of is None


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 598_000},
        {"transferred_at": NOW + timedelta(days=6)},
        {"account_number": "0999999999"},
    ],
)
def test_another_sum_another_account_or_other_days_are_other_money(
    other: dict[str, Any], payment: ManualPayment
) -> None:
    said = {"account_number": OWN, "amount": 599_000, "transferred_at": NEXT_DAY, **other}
    other_line = line(said.pop("amount"), **said)
    assert not duplicates.entered_alike(other_line).exists()
    with pytest.raises(CannotMatch, match="không thể"):
        mark(other_line, payment)


def test_a_payment_is_told_once_by_a_source_and_a_line_is_not_its_own_money(
    order: PaymentOrder, payment: ManualPayment, told: BankTransfer
) -> None:
    second = line(599_000, provider=told.provider, account_number=OWN, transferred_at=NEXT_DAY)
    mark(told, payment)
    with pytest.raises(CannotMatch, match="không thể"):
        mark(second, payment)
    elsewhere = line(599_000, provider="CASSO", account_number=OWN, transferred_at=NEXT_DAY)
    assert mark(elsewhere, payment).state == "DUPLICATE"
    own: Any = payment.transfer
    assert payment not in duplicates.entered_alike(own)
    with pytest.raises(CannotMatch, match="lý do"):
        mark(second, payment, reason=" ")


def test_cash_that_is_carried_to_the_bank_waits_and_counts_once(order: PaymentOrder) -> None:
    cash = confirm(enter(order, kind=ManualPaymentKind.CASH, reference="PT-0012"))
    deposit = tell(order, transferred_at=NOW + timedelta(days=9))
    assert (deposit.reason, list(duplicates.entered_alike(deposit))) == ("BY_HAND", [cash])
    assert mark(deposit, cash).state == "DUPLICATE"
    assert books() == (599_000, 0)
    assert credit.balance(instance_id=order.instance_id) == 0  # type: ignore[arg-type]
    assert [each for each in findings(connection) if each.broken] == []
    for other in (
        {"account_number": "0999999999", "transferred_at": NEXT_DAY},
        {"account_number": OWN, "transferred_at": NOW + timedelta(days=12)},
    ):
        assert not duplicates.entered_alike(line(599_000, provider="CASSO", **other)).exists()


def test_a_part_in_cash_pays_a_course_once_though_it_is_carried_to_the_bank() -> None:
    own = school()
    # The bank's lines have the school's number with a zero less than the school.
    line(1, account_number=SCHOOLS.removeprefix("0"), instance_id=own.pk)
    order = enroll(own)
    confirm(enter(order, 250_000, kind=ManualPaymentKind.CASH, reference="PT-0013"))
    deposit = tell(order, amount=250_000, account_number=SCHOOLS)
    order.refresh_from_db()
    assert (deposit.reason, order.status, order.paid_amount) == ("BY_HAND", "PENDING", 250_000)


def test_what_a_source_has_told_as_a_twin_is_nobodys_to_undo(order: PaymentOrder) -> None:
    confirm(enter(order))
    twin = record(feed(order), at=LATER)
    assert twin.state == "DUPLICATE"
    with pytest.raises(CannotMatch, match="Chưa ai"):
        duplicates.unmark_duplicate(transfer_id=twin.transfer_id, actor="lan", reason="x")


# --- In the back office -------------------------------------------------------------------------


def state(told: BankTransfer) -> str:
    told.refresh_from_db()
    return told.state


def test_the_inbox_offers_it_shows_what_comes_and_leads_back(
    back_office: Client, order: PaymentOrder, payment: ManualPayment, told: BankTransfer
) -> None:
    page = back_office.get(INBOX)
    ((said, address),) = page.context["by_hand"]
    assert f"{order.order_id} · 599.000" in said
    assert "Ảnh 12 · lan" in said
    dialog = back_office.get(address)
    assert form_of(dialog)["payment"] == str(payment.transfer_id)
    sent = {**form_of(dialog), "_form_submitted": "True", "reason": "Ảnh 12 chính là dòng này"}
    shown = back_office.post(address, {**sent, "retyped": "599.000"})
    assert "Chưa thực hiện" in shown.text
    assert state(told) == "UNMATCHED"
    sent |= {"plan": form_of(shown)["plan"], "retyped": "599.000"}
    back_office.post(address, {**sent, "retyped": "598.000"})
    assert state(told) == "UNMATCHED"
    after = back_office.post(address, sent, follow=True)
    assert after.redirect_chain[-1][0] == INBOX
    assert state(told) == "DUPLICATE"
    assert after.context["line"] is None
    assert LogEntry.objects.filter(object_id=str(told.pk)).count() == 1
    assert "Ảnh 12 chính là dòng này" in back_office.get(page_url(told)).text


def test_who_makes_something_else_of_such_a_line_is_told_what_was_entered(
    back_office: Client, order: PaymentOrder, payment: ManualPayment, told: BankTransfer
) -> None:
    other = subscribe(school(), at=timezone.now())
    for name, said in (
        ("keep", {"subdomain": str(other.instance and other.instance.subdomain)}),
        ("assign", {"code": other.order_id}),
    ):
        sent = {**said, "reason": "x", "retyped": "599000", "_form_submitted": "True"}
        page = back_office.post(page_url(told, name), sent)
        assert "có phải cùng một khoản?" in page.text
        assert f"{order.order_id} · 599.000" in page.text
    assert state(told) == "UNMATCHED"


def test_it_is_undone_on_the_lines_page(
    back_office: Client, payment: ManualPayment, told: BankTransfer
) -> None:
    ways = page_url(told, "same_money"), page_url(told, "other_money")

    def offered() -> list[bool]:
        page = back_office.get(page_url(told)).text
        return [way in page for way in ways]

    assert offered() == [True, False]
    said = {"payment": str(payment.transfer_id), "retyped": "599000", "reason": "x"}
    assert do(back_office, told, "same_money", **said) == [
        "Đây là cùng một khoản tiền, chỉ tính một lần."
    ]
    assert offered() == [False, True]
    do(back_office, told, "other_money", reason="khoản khác", retyped="1")
    assert state(told) == "DUPLICATE"
    assert do(back_office, told, "other_money", reason="khoản khác", retyped="599.000")
    assert (state(told), offered()) == ("UNMATCHED", [True, False])


def test_nothing_is_offered_where_nothing_is_alike(back_office: Client) -> None:
    other = line(599_000, account_number=OWN, transferred_at=NEXT_DAY)
    assert back_office.get(INBOX).context["by_hand"] == []
    assert page_url(other, "same_money") not in back_office.get(page_url(other)).text


def test_who_may_only_look_ties_nothing(payment: ManualPayment, told: BankTransfer) -> None:
    looking = clerk("view_banktransfer", "change_banktransfer")
    sent = {"_form_submitted": "True", "reason": "x", "payment": str(payment.transfer_id)}
    for name in ("same_money", "other_money"):
        assert looking.post(page_url(told, name), sent).status_code == 403
    page = looking.get(INBOX)
    assert page_url(told, "same_money") not in page.text
    assert state(told) == "UNMATCHED"
