"""The inbox: one click assigns, and for a moment it can be taken back."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from billing.models import BankTransfer, PaymentOrder, PlannedMatch
from billing.services import inbox, planned
from billing.services.orders import cancel_order
from tests.billing.bookings import line
from tests.billing.settling import OWN, school, subscribe
from tests.billing.test_money_admin import clerk
from tests.factories.billing import BankTransferFactory, SubscriptionFactory
from tests.kitehub.backoffice.pages import act, list_url, messages_of, page_url

pytestmark = pytest.mark.django_db
INBOX = reverse("admin:billing_banktransfer_inbox")
ASSIGN = reverse("admin:billing_banktransfer_inbox_assign")
UNDO = reverse("admin:billing_banktransfer_inbox_undo")
SECOND = timedelta(seconds=1)


def due(plan: PlannedMatch) -> datetime:
    return plan.due_at + SECOND


def fails(error: Exception) -> Any:
    def fail(**_said: Any) -> None:
        raise error

    return fail


@pytest.fixture
def order() -> PaymentOrder:
    own = school()
    SubscriptionFactory(instance=own, tier="STANDARD")
    return subscribe(own, at=timezone.now() - timedelta(hours=1))


@pytest.fixture
def waiting(order: PaymentOrder) -> BankTransfer:
    now = timezone.now()
    return line(599_000, account_number=OWN, transferred_at=now, received_at=now)


def assign(client: Client, transfer: BankTransfer, order: PaymentOrder) -> Any:
    return client.post(ASSIGN, {"line": str(transfer.pk), "order": str(order.pk)}, follow=True)


class TestOneClick:
    def test_assigns_with_what_speaks_for_it_and_the_next_line_comes_up(
        self, back_office: Client, order: PaymentOrder, waiting: BankTransfer
    ) -> None:
        after = waiting.received_at + SECOND
        later = line(1_000, account_number=OWN, memo="ai đó", received_at=after)
        page = back_office.get(INBOX)
        assert page.context["line"] == waiting
        assert [offer.code for offer in page.context["offers"]] == [order.order_id]
        assert "Số tiền trùng khớp" in page.text
        page = assign(back_office, waiting, order)
        assert (page.context["line"], page.context["count"]) == (later, 1)
        assert order.order_id in page.text
        assert UNDO in page.text
        plan = PlannedMatch.objects.get()
        assert (plan.amount, plan.created_by) == (599_000, "staff@kitehub.test")
        assert plan.reason
        assert LogEntry.objects.count() == 1
        order.refresh_from_db()
        assert (order.status, order.paid_amount) == ("PENDING", 0), "it isn't booked yet"
        assert planned.book_planned(plan_id=plan.pk, at=plan.created_at) == "PLANNED"
        assert planned.book_planned(plan_id=plan.pk, at=due(plan)) == "BOOKED"
        order.refresh_from_db()
        assert order.status == "PAID"
        booked = order.allocations.get()
        assert (booked.created_by, booked.reason) == ("staff@kitehub.test", plan.reason)
        assert planned.book_due(at=due(plan)).booked == 0
        assert UNDO not in back_office.get(INBOX).text

    def test_is_taken_back_as_if_it_had_never_been(
        self, back_office: Client, order: PaymentOrder, waiting: BankTransfer
    ) -> None:
        assign(back_office, waiting, order)
        plan = PlannedMatch.objects.get()
        for _ in range(2):  # pressed twice it is undone once
            page = back_office.post(UNDO, {"plan": str(plan.pk)}, follow=True)
        assert page.context["line"] == waiting
        assert planned.book_planned(plan_id=plan.pk, at=due(plan)) == "TAKEN_BACK"
        order.refresh_from_db()
        waiting.refresh_from_db()
        assert (order.paid_amount, waiting.state, waiting.unmatched) == (0, "UNMATCHED", 599_000)
        assert assign(back_office, waiting, order).context["line"] is None

    def test_the_one_before_the_last_is_undone_as_well_here_or_on_its_lines_page(
        self, back_office: Client, order: PaymentOrder, waiting: BankTransfer
    ) -> None:
        other = subscribe(school(), at=timezone.now() - timedelta(hours=1))
        now = timezone.now()
        later = line(
            599_000, account_number=OWN, memo=other.memo, transferred_at=now, received_at=now
        )
        assign(back_office, waiting, order)
        page = assign(back_office, later, other)
        first, second = PlannedMatch.objects.order_by("created_at")
        assert [each["plan"] for each in page.context["news"]] == [second, first]
        assert page.text.count("data-inbox-undo") == 1
        page = back_office.post(UNDO, {"plan": str(first.pk)}, follow=True)
        assert (page.context["line"], len(page.context["news"])) == (waiting, 1)
        address = page_url(later, "take_back")
        assert address in back_office.get(page_url(later)).text
        assert page_url(later, "keep") not in back_office.get(page_url(later)).text
        act(back_office, later, "take_back", reason="nhầm")
        second.refresh_from_db()
        assert second.state == "TAKEN_BACK"
        assert address not in back_office.get(page_url(later)).text
        (refused,) = messages_of(act(back_office, later, "take_back", reason="nhầm"))
        assert refused == "Giao dịch này không còn lượt gán nào chờ ghi sổ."

    def test_pressed_twice_or_by_a_second_person_it_is_one(
        self, back_office: Client, order: PaymentOrder, waiting: BankTransfer
    ) -> None:
        assign(back_office, waiting, order)
        (said,) = messages_of(assign(back_office, waiting, order))
        assert said == f"staff@kitehub.test vừa gán giao dịch này cho đơn {order.order_id}."
        other = clerk("view_banktransfer", "match_transfer")
        assert order.order_id in messages_of(assign(other, waiting, order))[0]
        with pytest.raises(inbox.CannotMatch):
            inbox.discard(transfer_id=waiting.pk, actor="hoa", reason="x")
        assert PlannedMatch.objects.count() == 1

    def test_what_can_not_be_booked_any_more_waits_again_and_says_why(
        self, back_office: Client, order: PaymentOrder, waiting: BankTransfer
    ) -> None:
        assign(back_office, waiting, order)
        cancel_order(order_id=order.pk, actor="hoa", reason="x")
        plan = PlannedMatch.objects.get()
        assert planned.book_planned(plan_id=plan.pk, at=due(plan)) == "FAILED"
        page = back_office.get(INBOX)
        assert page.context["line"] == waiting
        assert page.text.count("Không ghi sổ được:") == 2  # what was just done, and the line itself

    def test_what_the_database_refuses_has_failed_too(
        self,
        back_office: Client,
        order: PaymentOrder,
        waiting: BankTransfer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assign(back_office, waiting, order)
        plan = PlannedMatch.objects.get()
        monkeypatch.setattr(inbox, "match_transfer", fails(IntegrityError("x")))
        assert planned.book_due(at=due(plan)) == planned.Due(0, ())
        plan.refresh_from_db()
        assert (plan.state, plan.failure) == ("FAILED", "Cơ sở dữ liệu không chấp nhận.")

    def test_what_only_the_commit_would_refuse_has_failed_as_well(
        self,
        back_office: Client,
        order: PaymentOrder,
        waiting: BankTransfer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assign(back_office, waiting, order)
        plan = PlannedMatch.objects.get()

        def book(**_said: Any) -> None:
            LogEntry.objects.create(user_id=uuid4(), action_flag=ADDITION)

        monkeypatch.setattr(inbox, "match_transfer", book)
        assert planned.book_planned(plan_id=plan.pk, at=due(plan)) == "FAILED"
        assert LogEntry.objects.count() == 1, "that of the click"

    def test_what_no_job_can_book_comes_up_again_and_is_undone(
        self,
        back_office: Client,
        order: PaymentOrder,
        waiting: BankTransfer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        clicked = timezone.now() - planned.OVERDUE_AFTER - planned.UNDO_FOR
        planned.plan_match(transfer_id=waiting.pk, order_id=order.pk, actor="lan", at=clicked)
        with monkeypatch.context() as patched:
            patched.setattr(inbox, "match_transfer", fails(RuntimeError("a bug")))
            with pytest.raises(CommandError, match="1 can't be booked"):
                call_command("settle_transfers")
        page = back_office.get(INBOX)
        assert page.context["line"] == waiting
        assert "data-inbox-assign" not in page.text
        stuck = page.context["stuck"]
        page = back_office.post(UNDO, {"plan": str(stuck.pk)}, follow=True)
        assert (page.context["line"], page.context["stuck"]) == (waiting, None)

    def test_an_order_that_is_no_candidate_and_rubbish_are_refused_in_words(
        self, back_office: Client, order: PaymentOrder, waiting: BankTransfer
    ) -> None:
        cancel_order(order_id=order.pk, actor="hoa", reason="x")
        assert messages_of(assign(back_office, waiting, order)) == [
            "Đơn này không còn phù hợp với giao dịch."
        ]
        for keys in ({}, {"line": "x", "order": "\x00"}, {"line": str(order.pk)}):
            assert messages_of(back_office.post(ASSIGN, keys, follow=True))
            assert messages_of(back_office.post(UNDO, keys, follow=True))
        assert back_office.get(ASSIGN).status_code == 405
        assert back_office.get(INBOX, {"line": "\x00"}).status_code == 200
        assert not PlannedMatch.objects.exists()

    def test_who_may_only_look_assigns_nothing(
        self, order: PaymentOrder, waiting: BankTransfer
    ) -> None:
        looking = clerk("view_banktransfer")
        page = looking.get(INBOX)
        assert order.order_id in page.text
        assert ASSIGN in page.text
        assert "data-inbox-assign" not in page.text
        for address in (ASSIGN, UNDO):
            assert looking.post(address, {"line": str(waiting.pk)}).status_code == 403
        assert clerk("view_paymentorder").get(INBOX).status_code == 403


def test_other_ways_out_of_the_inbox_lead_back_to_it(
    back_office: Client, order: PaymentOrder, waiting: BankTransfer
) -> None:
    page = back_office.get(INBOX)
    ways = {address.split("/")[-2]: address for address, _icon, _title in page.context["dialogs"]}
    assert set(ways) == {"assign", "keep", "discard"}
    sent = {"_form_submitted": "True", "reason": "không phải của mình"}
    after = back_office.post(ways["discard"], sent, follow=True)
    assert after.redirect_chain[-1][0] == INBOX
    assert "Không còn giao dịch nào chờ xử lý" in after.text
    act(back_office, waiting, "bring_back", reason="nhầm")
    assert back_office.get(INBOX).context["line"] == waiting


def test_lines_are_walked_through_both_ways(back_office: Client, order: PaymentOrder) -> None:
    start = timezone.now()
    rows = [
        line(number, account_number=OWN, received_at=start + number * SECOND)
        for number in range(1, 26)
    ]
    address, seen = INBOX, []
    while address:
        page = back_office.get(address)
        seen.append(page.context["line"])
        back, address = page.context["previous"], page.context["next"]
    assert seen == rows
    assert back_office.get(back).context["line"] == rows[-2]


def test_lines_of_one_moment_are_each_opened_by_its_address_and_walked_through(
    back_office: Client,
) -> None:
    at = timezone.now()
    rows = BankTransferFactory.create_batch(30, received_at=at, state="UNMATCHED")
    keys = sorted(row.pk for row in rows)
    page = back_office.get(INBOX, {"line": str(keys[28])})
    assert page.context["line"].pk == keys[28]
    assert not messages_of(page)
    for way, expected in (("previous", keys[28::-1]), ("next", keys)):
        seen = [page.context["line"].pk]
        while (address := page.context[way]) and len(seen) <= len(keys):
            page = back_office.get(address)
            seen.append(page.context["line"].pk)
        assert seen == expected
    BankTransfer.objects.filter(pk=keys[4]).update(state="IGNORED")
    page = back_office.get(INBOX, {"line": str(keys[4])})
    assert page.context["line"].pk == keys[5]
    assert "không còn chờ" in messages_of(page)[0], "and nobody assigns it for the one asked for"


def test_the_page_asks_no_more_where_ten_thousand_wait(
    back_office: Client, order: PaymentOrder, waiting: BankTransfer
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert back_office.get(INBOX).context["line"] == waiting
        return len(asked)

    queries()
    few = queries()
    now = timezone.now()
    made = [
        BankTransferFactory.build(state="UNMATCHED", transferred_at=now, received_at=now)
        for _ in range(1_100)
    ]
    BankTransfer.objects.bulk_create(made)
    assert queries() == few
    page = back_office.get(INBOX)
    assert "Có hơn 1000 giao dịch" in page.text or "Có hơn 1.000 giao dịch" in page.text
    assert few <= 30


def test_the_sidebar_marks_the_inbox_alone(back_office: Client) -> None:
    def marked(address: str) -> list[str]:
        groups = back_office.get(address).context["sidebar_navigation"]
        items = [item for group in groups for item in group["items"]]
        return [str(item["title"]) for item in items if item["active"]]

    assert marked(INBOX) == ["Hộp chờ đối soát"]
    assert marked(list_url(BankTransfer)) == ["Giao dịch chuyển khoản"]


def test_the_page_is_called_what_the_menu_calls_it(back_office: Client) -> None:
    statement = reverse("admin:billing_banktransfer_statement")
    for address, name in ((INBOX, "Hộp chờ đối soát"), (statement, "Nhập sao kê")):
        page = back_office.get(address).text
        (heading,) = re.findall(r"<h1\b[^>]*>(.*?)</h1>", page, flags=re.DOTALL)
        assert " ".join(strip_tags(heading).split()) == name
        (title,) = re.findall(r"<title>(.*?)</title>", page, flags=re.DOTALL)
        assert " ".join(title.split()).startswith(name)
