"""Rows read and written without the ORM's compiler are those that the ORM reads and writes."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from billing.models import BankTransfer, PaymentAllocation, PaymentOrder
from kitehub.db import rows
from kitehub.models import Instance
from tests.factories.billing import BankTransferFactory, PaymentOrderFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture(params=[None, 0], ids=["sent whole", "prepared"], autouse=True)
def _threshold(request: pytest.FixtureRequest) -> Iterator[None]:
    before = connection.connection.prepare_threshold
    connection.connection.prepare_threshold = request.param
    yield
    connection.connection.prepare_threshold = before


def values(row: object) -> dict[str, object]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def test_rows_are_read_as_the_orm_reads_them() -> None:
    order = PaymentOrderFactory()
    (mine,) = rows.read(PaymentOrder, "WHERE order_id = %s FOR UPDATE", [order.order_id])
    assert values(mine) == values(PaymentOrder.objects.get(pk=order.pk))
    (school,) = rows.read(Instance, "WHERE id = ANY (%s)", [[order.instance_id]])
    assert school.database_password == Instance.objects.get(pk=school.pk).database_password
    line = BankTransferFactory(raw={"nội dung": [1, None]})
    (told,) = rows.read(BankTransfer, "WHERE id = %s", [line.pk])
    assert values(told) == values(BankTransfer.objects.get(pk=line.pk))
    assert rows.read(PaymentOrder, "WHERE order_id = %s", ["KH"]) == []


def test_an_inserted_row_knows_what_the_database_made_of_it() -> None:
    line, order = BankTransferFactory(), PaymentOrderFactory()
    booked = PaymentAllocation(transfer=line, order=order, amount=299_000)
    rows.insert(booked, kept=["created_by"])
    there = PaymentAllocation.objects.get()
    assert values(there) == {**values(booked), "reason": ""}
    assert there.created_at is not None
    assert there.created_by.startswith("db:")
    order.refresh_from_db()
    assert order.paid_amount == 299_000
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert(PaymentAllocation(transfer=line, order=order, amount=0))


def test_an_update_writes_its_fields_alone_whatever_the_version() -> None:
    order = PaymentOrderFactory()
    PaymentOrder.objects.filter(pk=order.pk).update(cancel_reason="somebody else")
    order.status, order.paid_at, order.transaction_reference = "PAID", NOW, "FT1"
    order.cancel_reason = "not written"
    rows.update(order, "status", "paid_at", "transaction_reference")
    there = PaymentOrder.objects.get(pk=order.pk)
    assert (there.status, there.paid_at, there.cancel_reason) == ("PAID", NOW, "somebody else")
    assert (order.version, order.updated_at) == (there.version, there.updated_at)
    assert there.version == 2
