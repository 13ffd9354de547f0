"""Writing through EnumField: one row, many rows, expressions, and labels that don't exist."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, connection, models, transaction
from django.db.models import Case, F, Q, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Upper

from billing.enums import PaymentStatus, PaymentType, SubscriptionStatus
from billing.models import PaymentOrder, SubscriptionHistory
from branding.enums import BrandingStatus
from kitehub.models import Instance
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_off")]

STATUS = PaymentOrder._meta.get_field("status")
LABELS = PaymentStatus.values


@pytest.fixture
def school() -> Instance:
    return InstanceFactory()


def unsaved(school: Instance, count: int, **fields: Any) -> list[PaymentOrder]:
    """Orders X0, X1, … with the labels in turn."""
    return [
        PaymentOrderFactory.build(
            order_id=f"X{n}",
            instance=school,
            **{"status": LABELS[n % 4], "type": PaymentType.values[n % 2], **fields},
        )
        for n in range(count)
    ]


def stored() -> list[str]:
    """What the database itself says, by order code."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status::text FROM payment_orders ORDER BY order_id")
        return [status for (status,) in cursor.fetchall()]


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_bulk_create_of_any_number_of_rows(school: Instance, count: int) -> None:
    PaymentOrder.objects.bulk_create(unsaved(school, count))

    made = PaymentOrder.objects.values_list("order_id", "status", "type")
    assert {(f"X{n}", LABELS[n % 4], PaymentType.values[n % 2]) for n in range(count)} == set(made)


def test_bulk_create_in_batches_with_conflicts_ignored_or_updated(school: Instance) -> None:
    orders = PaymentOrder.objects
    orders.bulk_create(unsaved(school, 3), batch_size=2)
    orders.bulk_create(unsaved(school, 5, status="EXPIRED"), ignore_conflicts=True)
    assert stored() == ["PENDING", "PAID", "EXPIRED", "EXPIRED", "EXPIRED"]

    orders.bulk_create(
        unsaved(school, 2, status="CANCELLED"),
        update_conflicts=True,
        unique_fields=["order_id"],
        update_fields=["status"],
    )
    assert stored() == ["CANCELLED", "CANCELLED", "EXPIRED", "EXPIRED", "EXPIRED"]


def test_bulk_create_mixes_given_labels_with_the_columns_default(school: Instance) -> None:
    given, left_out = unsaved(school, 2, status="PAID")
    left_out.status = PaymentOrder().status
    PaymentOrder.objects.bulk_create([given, left_out])
    assert stored() == ["PAID", "PENDING"]


@pytest.mark.parametrize("count", [2, 500])
def test_bulk_update(school: Instance, count: int) -> None:
    orders = PaymentOrder.objects.bulk_create(unsaved(school, count, status="PENDING"))
    for number, order in enumerate(orders):
        order.status = LABELS[number % 4]
    PaymentOrder.objects.bulk_update(orders, ["status"])

    made = dict(PaymentOrder.objects.values_list("order_id", "status"))
    assert made == {f"X{n}": LABELS[n % 4] for n in range(count)}


UPDATES: list[tuple[Any, list[str]]] = [
    ("PAID", ["PAID", "PAID"]),
    (PaymentStatus.PAID, ["PAID", "PAID"]),
    (Value("PAID"), ["PAID", "PAID"]),
    (F("status"), ["PENDING", "CANCELLED"]),
    (F("transaction_reference"), ["PAID", "EXPIRED"]),
    (Upper("transaction_reference"), ["PAID", "EXPIRED"]),
    (Coalesce("transaction_reference", Value("PAID")), ["PAID", "EXPIRED"]),
    (Cast("transaction_reference", STATUS), ["PAID", "EXPIRED"]),
    (Case(When(order_id="X0", then=Value("PAID")), default=Value("EXPIRED")), ["PAID", "EXPIRED"]),
    (
        Case(When(order_id="X0", then=Value("PAID")), default=F("status"), output_field=STATUS),
        ["PAID", "CANCELLED"],
    ),
    (
        Case(
            When(order_id="X0", then=Cast("transaction_reference", STATUS)), default=F("status")
        ),
        ["PAID", "CANCELLED"],
    ),
    (Case(When(status="bogus", then=Value("PAID")), default=Value("EXPIRED")), ["EXPIRED"] * 2),
    (Subquery(PaymentOrder.objects.filter(order_id="X1").values("status")), ["CANCELLED"] * 2),
    (
        Subquery(PaymentOrder.objects.filter(order_id="X0").values("transaction_reference")),
        ["PAID", "PAID"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), UPDATES)
def test_update_takes_literals_columns_cases_and_subqueries(
    value: Any, expected: list[str], school: Instance
) -> None:
    pending, cancelled = unsaved(school, 2)
    pending.transaction_reference, cancelled.transaction_reference = "PAID", "EXPIRED"
    cancelled.status = "CANCELLED"
    PaymentOrder.objects.bulk_create([pending, cancelled])

    assert PaymentOrder.objects.update(status=value) == 2
    assert stored() == expected


def test_text_columns_take_the_enum() -> None:
    PaymentOrderFactory(status="PAID")
    PaymentOrder.objects.update(transaction_reference=F("status"))
    assert PaymentOrder.objects.get().transaction_reference == "PAID"


def test_an_insert_takes_an_expression() -> None:
    PaymentOrderFactory(status=Value("PAID"))
    PaymentOrderFactory(status=Cast(Upper(Value("paid")), STATUS))
    assert stored() == ["PAID", "PAID"]


def test_a_row_left_alone_gets_the_columns_default_and_reads_it_back(school: Instance) -> None:
    order = PaymentOrder.objects.create(
        order_id="X", type="ENROLLMENT", user=school.owner, amount=1, payment_content="X",
        expires_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    assert (order.status, order.get_status_display()) == ("PENDING", PaymentStatus.PENDING.label)


SAVES: list[Callable[[PaymentOrder], Any]] = [
    lambda order: order.save(),
    lambda order: order.save(update_fields=["status"]),
    lambda order: PaymentOrder.objects.filter(pk=order.pk).update(status=order.status),
    lambda order: PaymentOrder.objects.bulk_update([order], ["status"]),
    lambda order: PaymentOrder.objects.bulk_create(
        [PaymentOrderFactory.build(instance=order.instance, status=order.status)]
    ),
    lambda order: PaymentOrder.objects.get_or_create(
        order_id="new", status=order.status,
        defaults={"type": "ENROLLMENT", "user": order.user, "amount": 1, "payment_content": "x",
                  "expires_at": order.expires_at},
    ),
]  # fmt: skip


@pytest.mark.parametrize("label", ["bogus", "", "paid"])
@pytest.mark.parametrize("save", SAVES)
def test_a_write_of_what_is_no_label_is_refused_by_the_database(
    save: Callable[[PaymentOrder], Any], label: str
) -> None:
    order = PaymentOrderFactory()
    order.status = label
    with pytest.raises(DataError, match=f'enum payment_status: "{label}"'), transaction.atomic():
        save(order)
    assert stored() == ["PENDING"]


def test_none_is_refused_by_the_column() -> None:
    order = PaymentOrderFactory()
    order.status = None
    with pytest.raises(IntegrityError), transaction.atomic():
        order.save()


@pytest.mark.parametrize("label", ["bogus", "", None])
def test_full_clean_names_the_field(label: Any) -> None:
    order = PaymentOrderFactory()
    order.status = label
    with pytest.raises(ValidationError) as error:
        order.full_clean()
    assert set(error.value.message_dict) == {"status"}
    order.status = "EXPIRED"
    order.full_clean()


def test_get_or_create_and_update_or_create() -> None:
    order = PaymentOrderFactory(status="PAID")
    orders = PaymentOrder.objects
    assert orders.get_or_create(order_id=order.order_id, status="PAID") == (order, False)
    again, made = orders.update_or_create(pk=order.pk, defaults={"status": "EXPIRED"})
    assert (again.status, made, stored()) == ("EXPIRED", False, ["EXPIRED"])


@pytest.mark.parametrize(
    ("factory", "enum"),
    [(BrandingJobFactory, BrandingStatus), (SubscriptionFactory, SubscriptionStatus)],
)
def test_the_other_enums_write_every_label(factory: Any, enum: type[models.TextChoices]) -> None:
    model = factory._meta.model
    rows = [factory(status=label) for label in enum.values]
    assert [model.objects.get(pk=row.pk).status for row in rows] == enum.values
    last = enum.values[-1]
    for row in rows:
        row.status = last
    assert model.objects.bulk_update(rows, ["status"]) == len(rows)
    assert model.objects.filter(~Q(status=last)).update(status=enum.values[0]) == 0


def test_the_trigger_copies_the_enum_into_the_history() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = origin")
    subscription = SubscriptionFactory(status="ACTIVE")
    subscription.status = SubscriptionStatus.PAST_DUE
    subscription.save()
    assert SubscriptionHistory.objects.get(status="PAST_DUE").subscription == subscription
    assert not SubscriptionHistory.objects.filter(status="bogus").exists()
