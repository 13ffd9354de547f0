"""Staff sort out the bank lines that wait."""

from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from billing.models import BankTransfer, PaymentAllocation, PaymentOrder, PlannedMatch
from billing.services import credit, planned
from billing.services.orders import open_order
from billing.services.settlement import settle_transfer
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.billing.bookings import line
from tests.billing.test_money_admin import clerk, do
from tests.factories.billing import SubscriptionFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import act, act_on_all, form_of, list_url, page_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def school() -> Instance:
    school = InstanceFactory(subdomain="sao-mai")
    SubscriptionFactory(instance=school, tier=Tier.STANDARD)
    return school


@pytest.fixture
def order(school: Instance) -> PaymentOrder:
    return open_order(instance=school, actor="lan", tier=Tier.STANDARD, at=timezone.now())


@pytest.fixture
def waiting(order: PaymentOrder) -> BankTransfer:
    return line(600_000, account_number=order.account_number)


def state(transfer: BankTransfer) -> tuple[str, int]:
    transfer.refresh_from_db()
    return transfer.state, transfer.unmatched


def sort_out(client: Client, transfer: BankTransfer, name: str, **said: str) -> list[str]:
    """As `do`, with what is left of the line typed again."""
    transfer.refresh_from_db()
    return do(client, transfer, name, **{"retyped": f"{transfer.unmatched:,}", **said})


def offered(client: Client, transfer: BankTransfer) -> set[str]:
    page = client.get(page_url(transfer)).content.decode()
    names = ("assign", "keep", "discard", "bring_back", "refund")
    return {name for name in names if page_url(transfer, name) in page}


def test_a_line_pays_the_order_that_staff_name_and_the_rest_is_credit(
    back_office: Client, order: PaymentOrder, school: Instance, waiting: BankTransfer
) -> None:
    assert offered(back_office, waiting) == {"assign", "keep", "discard", "refund"}
    assert back_office.get(page_url(waiting, "assign")).status_code == 200
    said = {"code": f" {order.order_id.lower()} ", "reason": "Trường gọi"}
    assert sort_out(back_office, waiting, "assign", **said) == [f"Đã gán cho {order.order_id}."]
    order.refresh_from_db()
    assert (order.status, state(waiting)) == ("PAID", ("UNMATCHED", 1_000))
    kept = sort_out(back_office, waiting, "keep", subdomain="sao-mai", reason="Trường gọi")
    assert kept == ["Đã giữ làm tiền dư."]
    assert (state(waiting), credit.balance(instance_id=school.pk)) == (("MATCHED", 0), 1_000)
    assert LogEntry.objects.count() == 2
    assert offered(back_office, waiting) == {"refund"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("assign", {"code": "KH22222222", "reason": "x"}),
        ("assign", {"code": "", "reason": "x"}),
        ("assign", {"reason": ""}),
        ("assign", {"amount": " 600001", "reason": "x"}),
        ("assign", {"amount": " 0", "reason": "x"}),
        ("assign", {"amount": " 1.5", "reason": "x"}),
        ("assign", {"amount": " 1000\n{code} 1000", "reason": "x"}),
        ("assign", {"amount": " 1000\nKH22222222", "reason": "x"}),
        ("assign", {"reason": "x", "retyped": "600.001"}),
        ("keep", {"subdomain": "nowhere", "reason": "x"}),
        ("keep", {"subdomain": "sao-mai", "reason": "x", "retyped": ""}),
        ("keep", {"subdomain": "sao-mai", "amount": "600001", "reason": "x"}),
        ("discard", {"reason": ""}),
        ("bring_back", {"reason": "x"}),
    ],
)
def test_what_can_not_be_is_said_and_nothing_is_booked(
    name: str,
    said: dict[str, Any],
    back_office: Client,
    order: PaymentOrder,
    waiting: BankTransfer,
) -> None:
    told = dict(said)
    if name == "assign":
        amount = told.pop("amount", "").format(code=order.order_id)
        told = {"code": f"{order.order_id}{amount}"} | told
    sort_out(back_office, waiting, name, **told)
    order.refresh_from_db()
    assert (order.status, order.paid_amount) == ("PENDING", 0)
    assert state(waiting) == ("UNMATCHED", 600_000)


def test_what_the_books_refuse_is_said_in_words(
    back_office: Client, order: PaymentOrder, waiting: BankTransfer
) -> None:
    said = {"code": f"{order.order_id} 600.000", "reason": "x"}
    page = act(back_office, waiting, "assign", **said, retyped="600000").content.decode()
    assert f"{order.order_id} cần 599.000" in page
    assert "Không thực hiện được:" in page


def test_a_line_pays_several_orders_and_what_is_not_paid_by_it_comes_off_again(
    back_office: Client, order: PaymentOrder, waiting: BankTransfer
) -> None:
    other = open_order(instance=InstanceFactory(), actor="lan", tier=Tier.STANDARD)
    codes = f"{order.order_id} 250.000\n{other.order_id.lower()}  100000\n"
    (told,) = sort_out(back_office, waiting, "assign", code=codes, reason="Chuyển gộp")
    assert told == f"Đã gán cho {order.order_id}, {other.order_id}."
    order.refresh_from_db()
    assert (order.paid_amount, state(waiting)) == (250_000, ("UNMATCHED", 250_000))
    address = page_url(order, "take_off")
    assert address in back_office.get(page_url(order)).content.decode()
    asked = back_office.get(address).content.decode()
    (mine,) = order.allocations.all()
    assert str(mine.pk) in asked
    foreign = str(other.allocations.get().pk)
    own = {"allocation": str(mine.pk)}
    for wrong in ({"allocation": foreign}, {**own, "reason": ""}, {**own, "retyped": "KH0"}):
        do(back_office, order, "take_off", **({"reason": "x", "retyped": order.order_id} | wrong))
    assert clerk("change_paymentorder", "view_paymentorder").get(address).status_code == 403
    assert state(waiting) == ("UNMATCHED", 250_000)
    said = {"allocation": str(mine.pk), "reason": "Nhầm đơn"}
    told = do(back_office, order, "take_off", **said, retyped=order.order_id)
    assert told == ["Giao dịch đã trở lại danh sách chờ."]
    order.refresh_from_db()
    assert (order.paid_amount, state(waiting)) == (0, ("UNMATCHED", 500_000))
    assert address not in back_office.get(page_url(order)).content.decode()
    assert LogEntry.objects.filter(object_id=str(order.pk)).count() == 1


def test_the_codes_of_several_orders_in_a_memo_are_filled_in(
    back_office: Client, order: PaymentOrder
) -> None:
    other = open_order(
        instance=InstanceFactory(), actor="lan", tier=Tier.STANDARD, at=timezone.now()
    )
    both = f"hoc phi 2 con {other.order_id} {order.order_id}"

    def filled_in(memo: str) -> list[str]:
        found = line(600_000, account_number=order.account_number, memo=memo)
        return form_of(back_office.get(page_url(found, "assign")))["code"].split()

    assert sorted(filled_in(both)) == sorted([order.order_id, other.order_id])
    assert filled_in(f"hoc phi {order.order_id}") == []
    other.delete()
    assert filled_in(both) == []


def test_money_comes_off_an_order_that_was_deleted_meanwhile(
    back_office: Client, order: PaymentOrder, waiting: BankTransfer
) -> None:
    sort_out(back_office, waiting, "assign", code=f"{order.order_id} 250.000", reason="x")
    PaymentOrder.objects.filter(pk=order.pk).update(deleted=True)
    given = str(PaymentAllocation.objects.get().pk)
    do(
        back_office,
        order,
        "take_off",
        allocation=given,
        reason="Nhầm đơn",
        retyped=order.order_id,
    )
    assert state(waiting) == ("UNMATCHED", 600_000)


def test_a_line_is_put_aside_and_comes_back(back_office: Client, waiting: BankTransfer) -> None:
    do(back_office, waiting, "discard", reason="Chuyển nhầm")
    assert state(waiting) == ("DISCARDED", 600_000)
    assert "Chuyển nhầm" in waiting.note
    assert offered(back_office, waiting) == {"bring_back"}
    do(back_office, waiting, "bring_back", reason="Có người nhận")
    assert state(waiting) == ("UNMATCHED", 600_000)


def test_who_may_only_look_sorts_nothing_out(waiting: BankTransfer) -> None:
    looking = clerk("view_banktransfer")
    assert looking.get(page_url(waiting)).status_code == 200
    for name in ("assign", "keep", "discard", "bring_back"):
        sent = {"_form_submitted": "True", "reason": "x"}
        assert looking.post(page_url(waiting, name), sent).status_code == 403
    assert state(waiting) == ("UNMATCHED", 600_000)


def test_what_comes_of_it_is_seen_before_it_is_booked(
    back_office: Client, order: PaymentOrder, waiting: BankTransfer
) -> None:
    sent = {"_form_submitted": "True", "code": order.order_id, "reason": "Trường gọi"}
    sent["retyped"] = "600.000 ₫"
    page = back_office.post(page_url(waiting, "assign"), sent)
    for shown in ("đã trả đủ", "Kỳ được thanh toán", "1.000\xa0₫, tiếp tục chờ", "Chưa thực hiện"):
        assert shown in page.text
    plan = form_of(page)["plan"]
    order.refresh_from_db()
    assert (order.status, state(waiting)) == ("PENDING", ("UNMATCHED", 600_000))
    # Money that came meanwhile makes it another outcome, which is shown first.
    settle_transfer(
        transfer_id=line(
            100_000, state="RECEIVED", account_number=order.account_number, memo=order.memo
        ).pk
    )
    again = back_office.post(page_url(waiting, "assign"), {**sent, "plan": plan})
    assert "101.000\xa0₫, tiếp tục chờ" in again.text
    assert state(waiting) == ("UNMATCHED", 600_000)
    plan = form_of(again)["plan"]
    for _ in range(2):  # sent twice it is booked once
        back_office.post(page_url(waiting, "assign"), {**sent, "plan": plan})
    order.refresh_from_db()
    assert (order.status, state(waiting)) == ("PAID", ("UNMATCHED", 101_000))
    assert order.allocations.count() == 2


def test_what_was_kept_or_assigned_is_undone_on_the_lines_page(
    back_office: Client, order: PaymentOrder, school: Instance, waiting: BankTransfer
) -> None:
    assert sort_out(back_office, waiting, "keep", subdomain="sao-mai", reason="x")
    page = back_office.get(page_url(waiting)).content.decode()
    assert page_url(waiting, "take_credit_back") in page
    assert page_url(waiting, "unmatch") not in page
    for typed in ("", "599.000"):
        do(back_office, waiting, "take_credit_back", reason="nhầm trường", retyped=typed)
    assert state(waiting) == ("MATCHED", 0)
    said = {"reason": "nhầm trường", "retyped": "600.000"}
    assert do(back_office, waiting, "take_credit_back", **said)
    assert (state(waiting), credit.balance(instance_id=school.pk)) == (("UNMATCHED", 600_000), 0)
    assert sort_out(back_office, waiting, "assign", code=f"{order.order_id} 1000", reason="x")
    allocation = order.allocations.get()
    said = {"allocation": str(allocation.pk), "reason": "nhầm đơn"}
    for typed in ("", "KH22222222", "1000"):
        do(back_office, waiting, "unmatch", **said, retyped=typed)
    assert state(waiting) == ("UNMATCHED", 599_000)
    said["retyped"] = order.order_id.lower()
    assert do(back_office, waiting, "unmatch", **said)
    order.refresh_from_db()
    assert (order.paid_amount, state(waiting)) == (0, ("UNMATCHED", 600_000))
    # Once more there is nothing to take.
    assert do(back_office, waiting, "unmatch", **said) == []
    assert do(back_office, waiting, "take_credit_back", reason="x", retyped="0") == [
        "Giao dịch này không có phần nào là tiền dư."
    ]


def bulk(
    client: Client, action: str, *rows: BankTransfer, **said: str
) -> dict[str, tuple[Any, ...]]:
    page = act_on_all(client, list_url(BankTransfer), action, rows, **said)
    return {it.row: (it.done, it.said) for it in page.context["outcomes"]}


def test_several_lines_are_discarded_each_with_its_result(
    back_office: Client, waiting: BankTransfer
) -> None:
    settled = line(5_000, state="IGNORED")
    first = bulk(back_office, "discard_all", waiting, settled)
    assert [first[str(row)][0] for row in (waiting, settled)] == [True, False]
    assert state(waiting)[0] == "UNMATCHED"
    said = {"reason": "không phải của mình"}
    for expected in (True, False):  # the second time it is discarded already
        done = bulk(back_office, "discard_all", waiting, settled, **said)
        assert [done[str(row)][0] for row in (waiting, settled)] == [expected, False]
    assert state(waiting)[0] == "DISCARDED"
    assert bulk(back_office, "discard_all", waiting, reason=" ")


def test_several_lines_go_to_their_likeliest_order_and_what_is_unsure_waits(
    back_office: Client, order: PaymentOrder, waiting: BankTransfer
) -> None:
    now = timezone.now()
    sure = line(599_000, account_number=order.account_number, transferred_at=now, memo="sao mai")
    unsure = line(123, account_number=order.account_number, transferred_at=now, memo="x")
    found = bulk(back_office, "assign_best", sure, unsure, reason="khớp")
    assert found[str(unsure)][0] is False
    assert found[str(sure)][0] is True
    assert order.order_id in found[str(sure)][1]
    # It can be undone for a moment, as from the inbox.
    plan = PlannedMatch.objects.get()
    assert (plan.transfer, plan.order, state(sure)[0]) == (sure, order, "UNMATCHED")
    planned.book_due(at=now + 2 * planned.UNDO_FOR)
    order.refresh_from_db()
    assert (order.status, state(sure), state(unsure)[0]) == ("PAID", ("MATCHED", 0), "UNMATCHED")


def test_lines_go_to_no_other_order_than_was_shown(
    back_office: Client, order: PaymentOrder, waiting: BankTransfer
) -> None:
    now = timezone.now()
    told = {"account_number": order.account_number, "transferred_at": now, "memo": "chuyen tien"}
    rows = sorted([line(order.amount, **told), line(order.amount, **told)], key=lambda it: it.pk)
    address = list_url(BankTransfer)
    sent = {"action": "assign_best", ACTION_CHECKBOX_NAME: [str(row.pk) for row in rows]}
    page = back_office.post(address, sent)
    first, second = page.context["outcomes"]
    assert (first.done, second.done) == (True, False), "the same order is not paid twice"
    assert order.order_id in first.said
    PaymentOrder.objects.filter(pk=order.pk).update(status="CANCELLED", cancelled_at=now)
    other = InstanceFactory()
    SubscriptionFactory(instance=other, tier=Tier.STANDARD)
    heir = open_order(instance=other, actor="lan", tier=Tier.STANDARD, at=now)
    answered = {**sent, "run": page.context["run"], "confirmed": "yes", "reason": "khớp"}
    answered["retyped"] = "1"
    again = back_office.post(address, answered)
    assert heir.order_id in again.context["outcomes"][0].said
    assert not PlannedMatch.objects.exists()


def test_who_may_change_lines_but_not_match_them_does_nothing(
    order: PaymentOrder, waiting: BankTransfer
) -> None:
    looking = clerk("view_banktransfer", "change_banktransfer", "view_paymentorder")
    sent = {"_form_submitted": "True", "reason": "x", "code": order.order_id}
    names = ("assign", "keep", "discard", "bring_back", "take_credit_back", "unmatch")
    for name in names:
        assert looking.post(page_url(waiting, name), sent).status_code == 403
    assert looking.post(page_url(order, "take_off"), sent).status_code == 403
    sent = {"action": "discard_all", ACTION_CHECKBOX_NAME: str(waiting.pk), "confirmed": "yes"}
    looking.post(list_url(BankTransfer), {**sent, "reason": "x"})
    assert state(waiting)[0] == "UNMATCHED"
