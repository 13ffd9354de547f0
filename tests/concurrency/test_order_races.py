"""Payment orders under payers, people and the clock at once; guards are taken away to see why."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from billing.models import PaymentOrder
from billing.services import Expiry, expire_overdue, expiry
from tests.concurrency.threads import Background, together
from tests.factories.billing import PaymentOrderFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.records import execute, without_trigger

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 30, 9, 0, tzinfo=UTC)


def overdue(count: int) -> list[UUID]:
    """Orders in the sequence in which they expire."""
    instance = InstanceFactory()
    return [
        PaymentOrderFactory(instance=instance, expires_at=NOW - timedelta(seconds=count - n)).pk
        for n in range(count)
    ]


def pay(pk: UUID) -> None:
    """A writer that doesn't look at what the order is by now."""
    execute(
        "UPDATE payment_orders SET status = 'PAID', paid_at = now(), transaction_reference = 'FT1'"
        " WHERE id = %s",
        pk,
    )


def cancel(pk: UUID) -> None:
    """Another one."""
    execute("UPDATE payment_orders SET status = 'CANCELLED' WHERE id = %s", pk)


def status(pk: UUID) -> tuple[str, int]:
    order = PaymentOrder.objects.get(pk=pk)
    return order.status, order.version


# --- Two ends of one order ----------------------------------------------------------------------


def pay_and_cancel_at_once() -> list[tuple[list[Any], tuple[str, int]]]:
    """What each of both saw, and what became of the order, of ten orders."""
    return [
        (together(lambda pk=pk: pay(pk), lambda pk=pk: cancel(pk)), status(pk))
        for pk in overdue(10)
    ]


def test_order_is_paid_or_cancelled_and_the_other_is_told() -> None:
    for (paid, cancelled), (end, version) in pay_and_cancel_at_once():
        assert (paid is None) != (cancelled is None)
        assert isinstance(paid or cancelled, IntegrityError)
        assert (end, version) == ("CANCELLED" if paid else "PAID", 1)


def test_control_without_the_guard_both_believe_that_they_did_it() -> None:
    with without_trigger("payment_orders", "guard_payment_orders_status"):
        for results, (_end, version) in pay_and_cancel_at_once():
            assert (results, version) == ([None, None], 2)


# --- The clock against money --------------------------------------------------------------------


def while_money_arrives(work: Callable[[], Any]) -> tuple[Any, tuple[str, int]]:
    """Does work while the oldest of three orders is being paid; returns its result, and the order.

    The work may wait for the payment, but looks at the orders before.
    """
    pk = overdue(3)[0]
    with transaction.atomic():
        pay(pk)
        other = Background(work)
        other.wait_until_blocked_or_done()
    return other.join(), status(pk)


def expire_without_locking() -> int:
    """An expiry that reads first and writes later."""
    found = PaymentOrder.objects.pending().overdue(at=NOW)
    return PaymentOrder.objects.filter(pk__in=list(found.values_list("pk", flat=True))).update(
        status="EXPIRED"
    )


def test_order_whose_money_arrives_is_neither_waited_for_nor_expired() -> None:
    pk = overdue(3)[0]
    with transaction.atomic():
        pay(pk)
        done = Background(lambda: expire_overdue(at=NOW)).join()
    assert isinstance(done, Expiry), done
    assert (done.orders, status(pk)) == (2, ("PAID", 1))


def test_control_without_its_lock_the_expiry_fails_at_the_guard() -> None:
    failure, order = while_money_arrives(expire_without_locking)
    assert isinstance(failure, IntegrityError)
    assert order == ("PAID", 1)


def test_control_without_lock_and_guard_money_is_lost() -> None:
    with without_trigger("payment_orders", "guard_payment_orders_status"):
        expired, order = while_money_arrives(expire_without_locking)
    assert (expired, order) == (3, ("EXPIRED", 2))


# --- Several clocks -----------------------------------------------------------------------------


def test_many_expiries_at_once_share_the_work() -> None:
    overdue(60)
    results = together(*[lambda: expire_overdue(at=NOW, batch=4)] * 4)
    assert sum(done.orders for done in results) == 60
    assert PaymentOrder.objects.filter(status="EXPIRED", version=1).count() == 60


def test_control_expiries_that_do_not_lock_each_count_all() -> None:
    # One order: several would be locked in any order, which is now and then a deadlock.
    overdue(1)
    all_have_read = threading.Barrier(4)

    def expire() -> int:
        found = list(PaymentOrder.objects.pending().values_list("pk", flat=True))
        all_have_read.wait(30)
        return PaymentOrder.objects.filter(pk__in=found).update(status="EXPIRED")

    assert together(*[expire] * 4) == [1] * 4


# --- An expiry that is killed -------------------------------------------------------------------


@contextmanager
def stuck_at(pk: UUID) -> Iterator[None]:
    """Whoever changes this order waits for us."""
    execute(
        "CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_advisory_xact_lock(20260130); RETURN NEW; END $$"
    )
    execute(
        "CREATE TRIGGER wait_for_test BEFORE UPDATE ON payment_orders FOR EACH ROW"
        f" WHEN (NEW.id = '{pk}') EXECUTE FUNCTION wait_for_test()"
    )
    execute("SELECT pg_advisory_lock(20260130)")
    try:
        yield
    finally:
        execute("SELECT pg_advisory_unlock(20260130)")
        execute("DROP FUNCTION wait_for_test() CASCADE")


def end_in_the_second_batch(by: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ends an expiry of ten orders, four a batch, by such a function; returns what it saw."""
    monkeypatch.setattr(expiry, "EXPIRY_MILLISECONDS", 30_000)
    monkeypatch.setattr(expiry, "EXPIRY_AIM_MILLISECONDS", 30_000)
    sixth = overdue(10)[5]
    with stuck_at(sixth):
        run = Background(lambda: expire_overdue(at=NOW, batch=4))
        run.wait_until_blocked_or_done()
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {by}(pid) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            assert cursor.fetchall() == [(True,)]
        return run.join()


@pytest.mark.parametrize("by", ["pg_terminate_backend", "pg_cancel_backend"])
def test_killed_expiry_keeps_its_batches_and_the_next_one_goes_on(
    by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(end_in_the_second_batch(by, monkeypatch), OperationalError)
    expired = PaymentOrder.objects.filter(status="EXPIRED")
    assert expired.count() == 4
    with transaction.atomic():
        left = PaymentOrder.objects.pending().select_for_update(nowait=True)
        assert len(left) == 6
    assert expire_overdue(at=NOW).orders == 6
    assert expired.filter(version=1).count() == 10
