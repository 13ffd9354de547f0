"""Bank lines under many who settle, cancel and pay back at once; guards are taken away."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError

from billing.models import BankTransfer, PaymentAllocation, PaymentOrder, Receipt, Refund
from billing.querysets import BankTransferQuerySet, PaymentOrderQuerySet
from billing.services import (
    credit,
    inbox,
    order_locks,
    orders,
    reading,
    receipts,
    refunds,
    settlement,
)
from billing.services.expiry import Expiry, expire_overdue
from billing.services.orders import OrderClosed, cancel_order, open_order
from billing.services.settlement import settle_transfer
from kitehub.db import rows
from kitehub.enums import Tier
from tests.billing.broken import broken
from tests.billing.settling import NOW, ask, expired, line, subscribe
from tests.concurrency.threads import PATIENCE, Background, together
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.records import execute

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 3
LATER = NOW + timedelta(days=2)


def settling(*lines: BankTransfer) -> list[Callable[[], Any]]:
    return [lambda each=each: settle_transfer(transfer_id=each.pk, at=NOW) for each in lines]


def ours() -> tuple[PaymentOrder, BankTransfer]:
    """An order, and the line that pays it."""
    order = subscribe(InstanceFactory())
    return order, line(order.memo, order.amount)


def fresh(order: PaymentOrder) -> PaymentOrder:
    order.refresh_from_db()
    return order


@contextmanager
def unlocked(*querysets: type[Any]) -> Iterator[None]:
    """Whoever locks rows of these only reads them."""
    read = rows.read

    def only_read(model: type[Any], rest: str, values: Sequence[Any]) -> list[Any]:
        if isinstance(model._default_manager.all(), querysets):
            rest = rest.removesuffix("FOR NO KEY UPDATE")
        return read(model, rest, values)

    with pytest.MonkeyPatch.context() as patch:
        for each in querysets:
            patch.setattr(each, "select_for_update", lambda found, **how: found)
        patch.setattr(rows, "read", only_read)
        yield


@contextmanager
def read_by_both() -> Iterator[None]:
    """Nobody books before two have read what there is to book."""
    both, read = threading.Barrier(2), reading.read

    def wait(transfer: BankTransfer) -> Any:
        found = read(transfer)
        both.wait(PATIENCE)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "read", wait)
        yield


@contextmanager
def without_check(table: str, name: str) -> Iterator[None]:
    ((text,),) = execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", name
    )
    execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        yield
    finally:
        # What was broken meanwhile stays until the test's end.
        execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {text} NOT VALID")


# --- One line -----------------------------------------------------------------------------------


def test_line_that_sixteen_settle_at_once_is_booked_once() -> None:
    order, told = ours()
    assert together(*settling(told) * 16) == ["MATCHED"] * 16
    assert PaymentAllocation.objects.count() == Receipt.objects.count() == 1
    assert (fresh(order).status, credit.balance(instance_id=order.instance_id)) == ("PAID", 0)
    assert broken() == {}


def test_control_without_the_lines_lock_the_second_dies_at_the_database() -> None:
    order, told = ours()
    with unlocked(BankTransferQuerySet, PaymentOrderQuerySet), read_by_both():
        results = together(*settling(told) * 2)
    assert sorted(type(each).__name__ for each in results) == ["IntegrityError", "TransferState"]
    assert fresh(order).paid_amount == order.amount


def test_control_without_lock_and_checks_it_is_booked_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order, told = ours()
    monkeypatch.setattr(receipts, "issue_first", lambda **_: None)  # whose key refuses it too
    with (
        unlocked(BankTransferQuerySet, PaymentOrderQuerySet),
        read_by_both(),
        without_check("bank_transfers", "bank_transfers_totals_check"),
        without_check("payment_orders", "payment_orders_paid_amount_check"),
    ):
        together(*settling(told) * 2)
        assert fresh(order).paid_amount == 2 * order.amount
        assert "the state is not what is paid" in broken()


# --- One order ----------------------------------------------------------------------------------


def test_of_two_lines_for_one_order_one_pays_and_the_other_is_credit() -> None:
    for _ in range(ROUNDS):
        order, told = ours()
        other = line(order.memo, order.amount)
        assert together(*settling(told, other)) == ["MATCHED"] * 2
        assert fresh(order).paid_amount == order.amount
        assert credit.balance(instance_id=order.instance_id) == order.amount
    assert broken() == {}


def test_control_without_the_orders_lock_both_want_to_pay_it() -> None:
    order, told = ours()
    other = line(order.memo, order.amount)
    with unlocked(PaymentOrderQuerySet), read_by_both():
        results = together(*settling(told, other))
    assert len([each for each in results if isinstance(each, IntegrityError)]) == 1
    assert credit.balance(instance_id=order.instance_id) == 0


def test_order_whose_time_is_up_as_its_money_comes_is_paid() -> None:
    for _ in range(ROUNDS):
        order, told = ours()
        settled, done = together(*settling(told), lambda: expire_overdue(at=LATER))
        assert (settled, type(done)) == ("MATCHED", Expiry)
        assert fresh(order).status == "PAID"
    assert broken() == {}


# --- An order that is taken away ----------------------------------------------------------------


def cancel(order: PaymentOrder) -> Any:
    return cancel_order(order_id=order.pk, actor="lan", reason="asked to", at=NOW)


def supersede(order: PaymentOrder) -> Any:
    return open_order(instance=order.instance, tier=Tier.BASIC, actor="lan", at=NOW)


TAKEN_AWAY = pytest.mark.parametrize("take_away", [cancel, supersede])


@TAKEN_AWAY
@pytest.mark.parametrize("part", [1, 3])
def test_order_is_paid_or_taken_away_and_no_money_is_lost(
    take_away: Callable[[PaymentOrder], Any], part: int
) -> None:
    for _ in range(ROUNDS):
        order = subscribe(InstanceFactory())
        told = line(order.memo, order.amount // part)
        settled, taken = together(*settling(told), lambda order=order: take_away(order))
        assert settled in ("MATCHED", "UNMATCHED")
        assert isinstance(taken, PaymentOrder | OrderClosed), taken
        assert fresh(order).status == (
            "PAID" if settled == "MATCHED" and part == 1 else "CANCELLED"
        )
        kept = credit.balance(instance_id=order.instance_id)
        assert kept == (told.amount if settled == "MATCHED" and part > 1 else 0)
        assert broken() == {}


def money_comes_while(
    take_away: Callable[[PaymentOrder], Any], monkeypatch: pytest.MonkeyPatch
) -> tuple[PaymentOrder, Any]:
    """A part of the money comes when somebody is about to close the order, who has read it."""
    order = subscribe(InstanceFactory())
    (settle,) = settling(line(order.memo, 200_000))
    background: list[Background] = []
    close = orders._close

    def late(*args: Any, **said: Any) -> None:
        background.append(Background(settle))
        background[0].wait_until_blocked_or_done()
        close(*args, **said)

    monkeypatch.setattr(orders, "_close", late)
    take_away(order)
    return fresh(order), background[0].join()


@TAKEN_AWAY
def test_money_that_comes_meanwhile_waits_for_its_order(
    take_away: Callable[[PaymentOrder], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    order, settled = money_comes_while(take_away, monkeypatch)
    assert (order.status, order.paid_amount, settled) == ("CANCELLED", 0, "UNMATCHED")
    assert broken() == {}


@TAKEN_AWAY
def test_control_without_the_orders_lock_it_is_lost_in_a_cancelled_one(
    take_away: Callable[[PaymentOrder], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with unlocked(PaymentOrderQuerySet):
        order, settled = money_comes_while(take_away, monkeypatch)
    assert (order.status, order.paid_amount, settled) == ("CANCELLED", 200_000, "MATCHED")
    assert "the state is not what is paid" in broken()


def take_off_while_it_is_taken_away(
    take_away: Callable[[PaymentOrder], Any], monkeypatch: pytest.MonkeyPatch
) -> list[Any]:
    """Money comes just before an order is locked; just before it is closed, it is taken off."""
    order = subscribe(InstanceFactory())
    (settle,) = settling(line(order.memo, 200_000))
    lock_lines, close = order_locks._lock_lines, orders._close
    background: list[Background] = []

    def late(keys: Any) -> Any:
        locked = lock_lines(keys)
        if not background:
            background.append(Background(settle))
            assert background[0].join() == "MATCHED"
        return locked

    def take_off() -> Any:
        paying = PaymentAllocation.objects.get(order=order, amount=200_000)
        return inbox.unmatch(allocation_id=paying.pk, actor="lan", reason="wrong", at=NOW)

    def later(*args: Any, **said: Any) -> None:
        background.append(Background(take_off))
        background[1].wait_until_blocked_or_done()
        close(*args, **said)

    monkeypatch.setattr(order_locks, "_lock_lines", late)
    monkeypatch.setattr(orders, "_close", later)
    try:
        result: Any = take_away(order)
    except OperationalError as error:
        result = error
    return [result, background[1].join()]


@TAKEN_AWAY
def test_money_that_came_before_the_orders_lock_is_locked_before_it(
    take_away: Callable[[PaymentOrder], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    done, refused = take_off_while_it_is_taken_away(take_away, monkeypatch)
    assert (type(done), type(refused)) == (PaymentOrder, inbox.CannotMatch)
    assert broken() == {}


def test_control_without_a_second_look_it_is_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_locks, "_lines_of", lambda orders_: set())
    results = take_off_while_it_is_taken_away(cancel, monkeypatch)
    assert [each for each in results if "deadlock" in str(each)]


# --- The same credit, offered twice -------------------------------------------------------------


def two_that_offer_credit() -> tuple[list[PaymentOrder], list[Callable[[], Any]]]:
    """Two orders of one school that leave the same credit out of what is to be transferred."""
    school = InstanceFactory()
    credit.grant(instance_id=school.pk, amount=100_000, reason="sorry", actor="lan", at=NOW)
    both = [expired(subscribe(school)), expired(subscribe(school))]
    return both, settling(*[line(order.memo, order.amount - 100_000) for order in both])


def test_credit_pays_one_of_two_and_the_other_asks_for_the_rest() -> None:
    for _ in range(ROUNDS):
        both, works = two_that_offer_credit()
        assert together(*works) == ["MATCHED"] * 2
        paid, waits = sorted(map(fresh, both), key=lambda order: order.status, reverse=True)
        assert (paid.status, paid.rest) == ("PAID", 0)
        assert (waits.status, waits.rest, waits.credit_offered) == ("EXPIRED", 100_000, 0)
    assert broken() == {}


def test_control_without_the_balances_lock_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    _both, works = two_that_offer_credit()
    all_have_read = threading.Barrier(2)
    lock_balance = credit.lock_balance

    def read(*, instance_id: Any) -> int:
        found = credit.balance(instance_id=instance_id)
        all_have_read.wait(PATIENCE)
        monkeypatch.setattr(credit, "lock_balance", lock_balance)
        return found

    monkeypatch.setattr(credit, "lock_balance", read)
    told = together(*works)
    assert len([each for each in told if isinstance(each, credit.NotEnoughCredit)]) == 1


# --- Money that goes back while other money comes -----------------------------------------------


def to_be_paid_back(paid: datetime = NOW) -> tuple[PaymentOrder, PaymentOrder, Refund]:
    """An order that credit and a line have paid, another one of its school, and its refund."""
    school = InstanceFactory()
    credit.grant(instance_id=school.pk, amount=100_000, reason="sorry", actor="lan", at=NOW)
    order, other = expired(subscribe(school)), expired(subscribe(school))
    settle_transfer(transfer_id=line(order.memo, 499_000, paid).pk, at=paid)
    return order, other, ask(599_000, order_id=order.pk)


def test_order_is_paid_back_while_it_and_another_one_are_paid() -> None:
    """Who pays back takes credit, then the school, as those do who settle."""
    for _ in range(ROUNDS):
        order, other, refund = to_be_paid_back()
        approved, *settled = together(
            lambda refund=refund: refunds.approve(refund_id=refund.pk, actor="minh", at=NOW),
            *settling(line(order.memo, 50_000), line(other.memo, 600_000)),
        )
        assert (getattr(approved, "status", approved), settled) == ("APPROVED", ["MATCHED"] * 2)
        assert (fresh(order).paid_amount, fresh(order).refunded_amount) == (0, 599_000)
        assert credit.balance(instance_id=order.instance_id) == 100_000 + 50_000 + 1_000
        assert broken() == {}


def pay_another_before_credit_comes_back(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """What who pays an order back sees, and who settles another one just before its credit."""
    _order, other, refund = to_be_paid_back(NOW + timedelta(hours=1))
    background: list[Background] = []
    # The bank had it first, so the other order's period is written anew.
    (settle,) = settling(line(other.memo, 600_000))
    add = credit.add

    def late(**said: Any) -> Any:
        if "refund" in said:
            background.append(Background(settle))
            background[0].wait_until_blocked_or_done()
        return add(**said)

    monkeypatch.setattr(credit, "add", late)
    try:
        result: Any = refunds.approve(refund_id=refund.pk, actor="minh", at=NOW).status
    except OperationalError as error:
        result = error
    return result, background[0].join()


def test_nobody_waits_at_its_commit_for_the_order_of_a_period(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert pay_another_before_credit_comes_back(monkeypatch) == ("APPROVED", "MATCHED")
    assert broken() == {}


def test_control_with_a_lock_of_the_key_too_it_is_a_deadlock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lock = PaymentOrderQuerySet.select_for_update
    monkeypatch.setattr(
        PaymentOrderQuerySet, "select_for_update", lambda rows, of, no_key: lock(rows, of=of)
    )
    results = pay_another_before_credit_comes_back(monkeypatch)
    assert [each for each in results if "deadlock" in str(each)]


# --- One line for two schools -------------------------------------------------------------------


def pay_two_schools_while_one_pays(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """A line pays orders of two schools; once it has a receipt, a line for the second one comes."""
    first, second = (InstanceFactory(pk=f"{place}" * 32) for place in (1, 2))
    one, two, other = subscribe(first), expired(subscribe(second)), subscribe(second)
    told = line(f"{one.order_id} {two.order_id}", one.amount + two.amount)
    alone = line(other.memo, other.amount)
    background: list[Background] = []
    issue = receipts.issue_first

    def issued(**said: Any) -> Receipt:
        receipt = issue(**said)
        if not background:
            background.append(Background(*settling(alone)))
            background[0].wait_until_blocked_or_done()
        return receipt

    monkeypatch.setattr(receipts, "issue_first", issued)
    try:
        result: Any = settle_transfer(transfer_id=told.pk, at=NOW)
    except OperationalError as error:
        result = error
    return result, background[0].join()


def test_line_for_two_schools_takes_no_number_before_it_has_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert pay_two_schools_while_one_pays(monkeypatch) == ("MATCHED", "MATCHED")
    assert broken() == {}


def test_control_one_order_after_the_other_is_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    conclude = settlement.conclude_payments

    def one_by_one(both: list[PaymentOrder], **said: Any) -> list[PaymentOrder]:
        for order in both:
            settlement.issue_receipts(conclude([order], **said), at=NOW)
        return []

    monkeypatch.setattr(settlement, "conclude_payments", one_by_one)
    results = pay_two_schools_while_one_pays(monkeypatch)
    assert [each for each in results if "deadlock" in str(each)]
