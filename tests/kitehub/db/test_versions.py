"""Every real change of a record counts once, whoever writes; a stale save writes nothing."""

import pytest
from django.core import serializers
from django.db import connection, transaction

from billing.models import PaymentOrder
from kitehub.db.base import StaleRow
from tests.factories.billing import PaymentOrderFactory
from tests.kitehub.db.records import (
    PLAIN,
    SAVES,
    TABLES,
    WRITERS,
    Writer,
    execute,
    jpa,
    make,
    reread,
    update,
)

pytestmark = pytest.mark.django_db
every_table = pytest.mark.parametrize("table", TABLES)
every_save = pytest.mark.parametrize("write", SAVES.values(), ids=SAVES)


@every_table
def test_new_row_has_version_0(table: str) -> None:
    row, _column, _after = make(table)
    assert row.version == 0


@every_table
@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_each_change_bumps_the_version_once(table: str, write: Writer) -> None:
    row, column, after = make(table)
    before = getattr(row, column)
    write(row, column, after)
    row = reread(row)
    assert (getattr(row, column), row.version) == (after, 1)
    write(row, column, before)
    assert reread(row).version == 2


@every_table
@pytest.mark.parametrize("write", PLAIN.values(), ids=PLAIN)
def test_no_change_no_bump(table: str, write: Writer) -> None:
    row, column, _after = make(table)
    write(row, column, getattr(row, column))
    assert reread(row).version == 0


@every_table
def test_only_the_counters_are_no_change(table: str) -> None:
    row, _column, _after = make(table)
    execute(
        f"UPDATE {table} SET version = 7, updated_at = updated_at - interval '1 day' WHERE id = %s",
        row.pk,
    )
    assert reread(row).version == 0


@every_table
def test_jpa_that_forces_an_increment_gets_it(table: str) -> None:
    row, column, _after = make(table)
    jpa(row, column, getattr(row, column))
    assert reread(row).version == 1


@every_table
def test_save_learns_what_the_database_made_of_the_row(table: str) -> None:
    row, column, after = make(table)
    setattr(row, column, after)
    row.save()
    kept = reread(row)
    assert (row.version, row.updated_at) == (kept.version, kept.updated_at) == (1, row.updated_at)
    row.save()
    assert row.version == 1


@every_table
@every_save
def test_stale_save_raises_and_writes_nothing(table: str, write: Writer) -> None:
    row, column, after = make(table)
    before = getattr(row, column)
    execute(f"UPDATE {table} SET created_by = 'somebody else' WHERE id = %s", row.pk)
    with pytest.raises(StaleRow) as refused, transaction.atomic():
        write(row, column, after)
    assert refused.value.row is row
    now = reread(row)
    assert (getattr(now, column), now.created_by, now.version) == (before, "somebody else", 1)


@every_table
def test_stale_jpa_update_touches_no_row(table: str) -> None:
    row, column, after = make(table)
    update(row, column, after)
    jpa(row, column, getattr(row, column))
    assert getattr(reread(row), column) == after


@every_table
@every_save
def test_save_does_not_bring_a_removed_row_back(table: str, write: Writer) -> None:
    row, column, after = make(table)
    with connection.cursor() as cursor:
        # A subscription has a history, which only a replica may remove.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [row.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
    with pytest.raises(StaleRow), transaction.atomic():
        write(row, column, after)
    assert not type(row)._base_manager.filter(pk=row.pk).exists()


def test_deferred_fields_do_not_hide_a_stale_row() -> None:
    pk = PaymentOrderFactory().pk
    row = PaymentOrder.objects.only("amount").get(pk=pk)
    assert PaymentOrder.objects.defer("version").get(pk=pk).get_deferred_fields() == set()
    PaymentOrder.objects.filter(pk=pk).update(amount=1)
    row.amount = 2
    with pytest.raises(StaleRow), transaction.atomic():
        row.save()
    assert reread(row).amount == 1


def test_row_read_without_its_version_cannot_be_saved() -> None:
    order = PaymentOrderFactory()
    (row,) = PaymentOrder.objects.raw("SELECT id, amount FROM payment_orders")
    row.amount = 2
    with pytest.raises(ValueError, match="without its version"), transaction.atomic():
        row.save()
    assert reread(order).amount == order.amount


def test_fixtures_overwrite_rows_whatever_their_version() -> None:
    order = PaymentOrderFactory(amount=299_000)
    fixture = serializers.serialize("json", [order])
    PaymentOrder.objects.update(amount=1)
    for loaded in serializers.deserialize("json", fixture):
        loaded.save()
    now = reread(order)
    assert (now.amount, now.version) == (299_000, 2)
