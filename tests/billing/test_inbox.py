"""The inbox: which orders a line may be for, and what people do with it."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from billing.enums import PaymentStatus, PaymentType
from billing.models import BankTransfer, PaymentAllocation, PaymentOrder
from billing.services import credit, inbox
from billing.services.candidates import Likeness, candidates
from billing.services.inbox import CannotMatch
from billing.services.orders import cancel_order, open_order
from billing.services.settlement import settle_transfer
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.factories.billing import BankTransferFactory
from tests.factories.kitehub import InstanceFactory
from tests.migrations.commands import ROOT

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
BY = {"actor": "lan", "reason": "the school called", "at": NOW}


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def school() -> Instance:
    return InstanceFactory(
        organization_name="Anh ngữ Hoa Sen", bank_code="970422", account_number="0001234567"
    )


def subscribe(school: Instance, tier: Tier = Tier.STANDARD) -> PaymentOrder:
    return open_order(instance=school, actor="lan", at=NOW, tier=tier)


def told(memo: str = "", amount: int = 599_000, **said: object) -> BankTransfer:
    when = NOW + timedelta(hours=1)
    line = BankTransferFactory(memo=memo, amount=amount, transferred_at=when, **said)
    settle_transfer(transfer_id=line.pk, at=when)
    return BankTransfer.objects.get(pk=line.pk)


def test_blank_memo_is_told_by_its_amount(school: Instance) -> None:
    order = subscribe(school)
    subscribe(InstanceFactory(), Tier.PREMIUM)
    (only,) = candidates(told())
    assert (only.order, only.why) == (order, (Likeness.AMOUNT, Likeness.TIME))


def test_likelier_ones_come_first(school: Instance) -> None:
    for _ in range(3):
        subscribe(InstanceFactory())
    order = subscribe(school)
    first, *rest = candidates(told("ANH NGU HOA SEN dong tien"))
    assert first.order == order
    assert Likeness.NAME in first.why
    assert len(rest) == 3


def test_order_that_replaces_the_one_in_the_memo_is_the_likeliest(school: Instance) -> None:
    old, _between, new = subscribe(school), subscribe(school), subscribe(school)
    first = candidates(told(old.order_id))[0]
    assert (first.order, first.why[0]) == (new, Likeness.SUCCESSOR)


@pytest.mark.parametrize("slip", ["typed", "lost"])
def test_code_with_a_slip_is_seen(school: Instance, slip: str) -> None:
    code = subscribe(school).order_id
    wrong = "W" if code[4] != "W" else "X"
    memo = code[:4] + (wrong if slip == "typed" else "") + code[5:]
    assert Likeness.NEAR_CODE in candidates(told(f"tra tien {memo} nhe", 1_000))[0].why


def test_who_paid_before_is_known(school: Instance) -> None:
    told(subscribe(school).memo, counterparty_account="777")
    order = subscribe(school)
    assert Likeness.PAYER in candidates(told(amount=5, counterparty_account="777"))[0].why
    assert candidates(told(amount=5, counterparty_account="888")) == []
    assert order.status == PaymentStatus.PENDING


def test_line_is_split_over_orders_and_pays_them(school: Instance) -> None:
    one, two = subscribe(school), subscribe(InstanceFactory(), Tier.BASIC)
    line = told(amount=900_000)
    parts = [(one.pk, 599_000), (two.pk, 299_000)]
    line = inbox.match_transfer(transfer_id=line.pk, parts=parts, **BY)
    assert (line.state, line.unmatched) == ("UNMATCHED", 2_000)
    assert set(PaymentOrder.objects.values_list("status", flat=True)) == {"PAID"}
    kept = inbox.keep_transfer_as_credit(transfer_id=line.pk, instance=school, **BY)
    assert (kept.state, credit.balance(instance_id=school.pk)) == ("MATCHED", 2_000)
    assert PaymentAllocation.objects.filter(created_by="lan").count() == 2


def test_no_school_is_locked_after_the_years_receipts() -> None:
    orders = [subscribe(InstanceFactory()) for _ in range(2)]
    line = told(amount=1_198_000)
    with CaptureQueriesContext(connection) as said:
        inbox.match_transfer(
            transfer_id=line.pk, parts=[(each.pk, 599_000) for each in orders], **BY
        )
    sql = [query["sql"] for query in said.captured_queries]
    schools = [at for at, text in enumerate(sql) if "FOR NO KEY" in text and '"instances"' in text]
    receipts = [at for at, text in enumerate(sql) if text.startswith('INSERT INTO "receipts"')]
    assert len(receipts) == 2
    assert max(schools) < min(receipts)


def test_what_does_not_fit_is_refused_and_nothing_is_booked(school: Instance) -> None:
    order, line = subscribe(school), told(amount=100)
    course = open_order(
        type=PaymentType.ENROLLMENT,
        instance=school,
        actor="api",
        amount=100,
        course_id="T",
        student_name="An",
    )
    paid = subscribe(InstanceFactory())
    told(paid.memo)
    for parts, says in (
        ([(order.pk, 101)], "100.* left"),
        ([(order.pk, 0)], "asks for"),
        ([(order.pk, 50), (order.pk, 50)], "once"),
        ([], "at least one"),
        ([(course.pk, 100)], "another account"),
        ([(paid.pk, 100)], "Paid"),
        ([(school.pk, 100)], "no such order"),
    ):
        with pytest.raises(CannotMatch, match=says):
            inbox.match_transfer(transfer_id=line.pk, parts=parts, **BY)
    assert BankTransfer.objects.get(pk=line.pk).unmatched == 100
    with pytest.raises(CannotMatch, match=r"100.* left"):
        inbox.keep_transfer_as_credit(transfer_id=line.pk, instance=school, amount=101, **BY)


def test_wrong_match_is_undone_while_the_order_is_open(school: Instance) -> None:
    order = subscribe(school)
    line = told(order.memo, 100_000)
    allocation = PaymentAllocation.objects.get()
    line = inbox.unmatch(allocation_id=allocation.pk, **BY)
    assert (line.state, line.reason, line.unmatched) == ("UNMATCHED", "UNDONE", 100_000)
    order.refresh_from_db()
    assert order.paid_amount == 0
    with pytest.raises(CannotMatch, match="left"):
        inbox.unmatch(allocation_id=allocation.pk, **BY)
    told(order.memo, 599_000)
    with pytest.raises(CannotMatch, match="refund"):
        inbox.unmatch(allocation_id=PaymentAllocation.objects.get(amount=599_000).pk, **BY)


def test_discarded_line_leaves_the_inbox_and_comes_back(school: Instance) -> None:
    line = told("chuyen nham")
    with pytest.raises(CannotMatch, match="reason"):
        inbox.discard(transfer_id=line.pk, actor="lan", reason=" ")
    gone = inbox.discard(transfer_id=line.pk, **BY)
    assert (gone.state, gone.unmatched) == ("DISCARDED", 599_000)
    order = subscribe(school)
    with pytest.raises(CannotMatch, match="Discarded"):
        inbox.match_transfer(transfer_id=line.pk, parts=[(order.pk, 1)], **BY)
    assert inbox.undo_discard(transfer_id=line.pk, actor="lan").state == "UNMATCHED"
    with pytest.raises(CannotMatch, match="Waits for a person"):
        inbox.undo_discard(transfer_id=line.pk, actor="lan")


def test_credit_that_was_taken_back_is_no_excess_of_its_order_any_more(school: Instance) -> None:
    order = subscribe(school)
    line = told(order.memo, 649_000)
    other = told(order.memo, 20_000)
    assert credit.excess_of(order=order) == 70_000
    inbox.take_credit_back(transfer_id=line.pk, **BY)
    assert credit.excess_of(order=order) == 20_000
    inbox.take_credit_back(transfer_id=other.pk, **BY)
    assert credit.excess_of(order=order) == 0


def test_goodwill_is_not_taken_back_for_money_that_is_used(school: Instance) -> None:
    line, later = told(), {**BY, "at": NOW + timedelta(hours=2)}
    inbox.keep_transfer_as_credit(transfer_id=line.pk, instance=school, **BY)
    order = subscribe(school)
    assert order.status == PaymentStatus.PAID
    credit.grant(instance_id=school.pk, amount=599_000, reason="sorry", actor="lan", at=later["at"])
    with pytest.raises(CannotMatch, match=r"only 0.* goodwill"):
        inbox.take_credit_back(transfer_id=line.pk, **later)
    line.refresh_from_db()
    assert (line.unmatched, credit.balance(instance_id=school.pk)) == (0, 599_000)
    # Money that comes later is money, and goes back.
    other = told(amount=300_000)
    inbox.keep_transfer_as_credit(transfer_id=other.pk, instance=school, **later)
    assert inbox.take_credit_back(transfer_id=other.pk, **later).unmatched == 300_000


def test_cancelled_orders_are_no_candidates(school: Instance) -> None:
    order = subscribe(school)
    cancel_order(order_id=order.pk, actor="lan", reason="asked to")
    assert candidates(told(order.memo)) == []


@pytest.mark.parametrize("refusal", ["CannotMatch", "CannotEnter", "CannotChange"])
def test_what_is_refused_is_said_in_the_language_of_who_asked(refusal: str) -> None:
    said = [
        call
        for path in (ROOT / "billing/services").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == refusal
    ]
    assert said
    plain = [call.lineno for call in said if isinstance(call.args[0], ast.Constant | ast.JoinedStr)]
    assert plain == []
