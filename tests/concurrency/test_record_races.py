"""One record under many writers at once; each guard is taken away once to see what it is for."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import models, transaction

from billing.models import PaymentOrder, Subscription, SubscriptionHistory
from kitehub.db.acting import acting
from kitehub.db.base import Record, StaleRow
from tests.concurrency.threads import Background, changed, together
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.kitehub.db.records import execute, reread, without_trigger

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 16
BOTH = pytest.mark.parametrize(
    ("factory", "column"),
    [(PaymentOrderFactory, "amount"), (SubscriptionFactory, "monthly_price")],
    ids=["payment_orders", "subscriptions"],
)
Saver = Callable[[Any, str], None]


def whole(row: Record, column: str) -> None:
    row.save()


def one_field(row: Record, column: str) -> None:
    row.save(update_fields=[column])


def read_then_save_at_once(row: Any, column: str, save: Saver) -> list[Any]:
    """What 16 people see who read the row, add one, and save, nobody before all have read."""
    all_have_read = threading.Barrier(WRITERS)

    def add_one() -> None:
        mine = reread(row)
        setattr(mine, column, getattr(mine, column) + 1)
        all_have_read.wait(30)
        save(mine, column)

    return together(*[add_one] * WRITERS)


# --- Saves --------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("save", [whole, one_field])
def test_of_saves_from_one_version_one_wins_and_the_others_are_told(
    factory: Any, column: str, save: Saver
) -> None:
    row = factory(**{column: 1000})
    results = read_then_save_at_once(row, column, save)
    now = reread(row)
    assert (getattr(now, column), now.version) == (1001, 1)
    assert results.count(None) == 1
    assert [type(each) for each in results if each] == [StaleRow] * (WRITERS - 1)


@BOTH
def test_who_is_told_and_tries_again_loses_nothing(factory: Any, column: str) -> None:
    row = factory(**{column: 1000})

    def add_one() -> int:
        for attempt in range(WRITERS + 1):
            mine = reread(row)
            setattr(mine, column, getattr(mine, column) + 1)
            try:
                mine.save()
            except StaleRow:
                continue
            return attempt
        raise AssertionError("somebody else won more often than they wrote")

    results = together(*[add_one] * WRITERS)
    now = reread(row)
    assert all(isinstance(each, int) for each in results), results
    assert (getattr(now, column), now.version) == (1000 + WRITERS, WRITERS)


@BOTH
def test_control_djangos_own_save_loses_all_but_one(
    factory: Any, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Record, "_do_update", models.Model._do_update)
    row = factory(**{column: 1000})
    assert read_then_save_at_once(row, column, one_field) == [None] * WRITERS
    now = reread(row)
    # Each save was believed, and the row says that one was made.
    assert getattr(now, column) == 1001


@BOTH
def test_control_without_the_trigger_every_stale_save_is_taken(factory: Any, column: str) -> None:
    row = factory(**{column: 1000})
    table = row._meta.db_table
    with without_trigger(table, f"keep_{table}_record"):
        assert read_then_save_at_once(row, column, whole) == [None] * WRITERS
    now = reread(row)
    assert (getattr(now, column), now.version) == (1001, 0)


# --- Other writers ------------------------------------------------------------------------------


def test_every_kind_of_writer_at_once_is_counted_once_each() -> None:
    pk = PaymentOrderFactory(amount=1000).pk

    def raw() -> None:
        execute("UPDATE payment_orders SET amount = amount + 1 WHERE id = %s", pk)

    def orm() -> None:
        PaymentOrder.objects.filter(pk=pk).update(amount=models.F("amount") + 1)

    def hibernate() -> None:
        for _ in range(4 * WRITERS):
            ((amount, version),) = execute(
                "SELECT amount, version FROM payment_orders WHERE id = %s", pk
            )
            if PaymentOrder.objects.filter(pk=pk, version=version).update(
                amount=amount + 1, version=version + 1
            ):
                return
        raise AssertionError("never got through")

    results = together(*[raw, orm, hibernate] * 5)
    assert results == [None] * 15
    now = PaymentOrder.objects.get(pk=pk)
    assert (now.amount, now.version) == (1015, 15)


# --- History ------------------------------------------------------------------------------------


def test_history_has_every_change_of_many_writers_in_their_order() -> None:
    row = SubscriptionFactory(monthly_price=1000)

    def raise_price() -> None:
        Subscription.objects.filter(pk=row.pk).update(monthly_price=models.F("monthly_price") + 1)

    together(*[raise_price] * WRITERS)
    prices = SubscriptionHistory.objects.of_subscription(row.pk).values_list(
        "monthly_price", flat=True
    )
    assert list(prices) == list(range(1000 + WRITERS, 999, -1))


def prices_when_the_first_to_begin_is_the_last_to_write() -> list[int]:
    """The history's prices, oldest first; the row says 2."""
    row = SubscriptionFactory(monthly_price=1000)
    change = Subscription.objects.filter(pk=row.pk)
    with transaction.atomic():
        execute("SELECT now()")
        assert Background(lambda: change.update(monthly_price=1)).join() == 1
        change.update(monthly_price=2)
    rows = SubscriptionHistory.objects.of_subscription(row.pk).order_by("changed_at")
    return list(rows.values_list("monthly_price", flat=True))


def test_latest_history_is_the_last_change_not_the_last_transaction_begun() -> None:
    assert prices_when_the_first_to_begin_is_the_last_to_write() == [1000, 1, 2]


def test_control_with_the_transactions_time_history_ends_with_a_price_that_is_over() -> None:
    with changed("log_subscription_change()", ("clock_timestamp()", "now()")):
        assert prices_when_the_first_to_begin_is_the_last_to_write() == [1000, 2, 1]


# --- Who acts -----------------------------------------------------------------------------------


def test_each_connection_has_its_own_actor() -> None:
    row = SubscriptionFactory(monthly_price=1000)
    change = Subscription.objects.filter(pk=row.pk)

    def as_person(number: int) -> None:
        with transaction.atomic(), acting(f"person {number}", f"reason {number}"):
            change.update(monthly_price=number)
        # The same connection, later, by nobody in particular.
        assert execute("SELECT current_setting('kitehub.actor', true)") == [("",)]

    results = together(*[lambda number=number: as_person(number) for number in range(1, 9)])
    assert results == [None] * 8
    for entry in SubscriptionHistory.objects.exclude(monthly_price=1000):
        number = entry.monthly_price
        assert (entry.changed_by, entry.change_reason) == (f"person {number}", f"reason {number}")
