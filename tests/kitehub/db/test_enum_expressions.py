"""Expressions, aggregates and sets over EnumField's columns."""

from typing import Any

import pytest
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import models
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Cast, Coalesce, Concat, Lag, Length, Lower

from billing.models import PaymentOrder
from kitehub.models import Instance
from tests.factories.billing import PaymentOrderFactory
from tests.factories.kitehub import InstanceFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_off")]

ORDERS = PaymentOrder.objects
STATUS = PaymentOrder._meta.get_field("status")
TEXT = models.CharField()


@pytest.fixture(autouse=True)
def school(rules_off: None) -> Instance:
    """An instance with three orders, A pending, B paid, C cancelled.

    Their references, a text column, hold nothing, a label and what is no label.
    """
    school = InstanceFactory(subdomain="sao-mai")
    for code, status, reference in (
        ("A", "PENDING", None),
        ("B", "PAID", "PAID"),
        ("C", "CANCELLED", "bogus"),
    ):
        PaymentOrderFactory(
            order_id=code, instance=school, status=status, transaction_reference=reference
        )
    return school


def of_this(**filters: Any) -> Exists:
    return Exists(PaymentOrder.objects.filter(instance=OuterRef("pk"), **filters))


def later_twin(**filters: Any) -> Exists:
    return Exists(PaymentOrder.objects.filter(**filters))


FIRST = PaymentOrder.objects.filter(instance=OuterRef("pk")).order_by("status").values("status")

ANNOTATED: list[tuple[type[models.Model], Any, list[Any]]] = [
    (PaymentOrder, Q(status="x"), [False] * 3),
    (PaymentOrder, ~Q(status__in=["x"]), [True] * 3),
    (PaymentOrder, Case(When(status="x", then=1), When(status="PAID", then=2)), [None, 2, None]),
    (
        PaymentOrder,
        Case(When(status="PAID", then=Value("EXPIRED")), default=F("status"), output_field=STATUS),
        ["PENDING", "EXPIRED", "CANCELLED"],
    ),
    (PaymentOrder, Lower(Cast("status", TEXT)), ["pending", "paid", "cancelled"]),
    (PaymentOrder, Length(Cast("status", TEXT)), [7, 4, 9]),
    (PaymentOrder, Concat("order_id", Cast("status", TEXT)), ["APENDING", "BPAID", "CCANCELLED"]),
    (PaymentOrder, Coalesce(Cast("status", TEXT), Value("")), ["PENDING", "PAID", "CANCELLED"]),
    (PaymentOrder, Coalesce("status", Value("PAID")), ["PENDING", "PAID", "CANCELLED"]),
    (PaymentOrder, Window(Lag("status"), order_by="order_id"), [None, "PENDING", "PAID"]),
    (PaymentOrder, later_twin(status=OuterRef("status"), order_id="B"), [False, True, False]),
    (PaymentOrder, later_twin(status=OuterRef("transaction_reference")), [False, True, False]),
    (
        PaymentOrder,
        later_twin(transaction_reference=Cast(OuterRef("status"), TEXT)),
        [False, True, False],
    ),
    (Instance, Subquery(FIRST[:1]), ["PENDING"]),
    (Instance, of_this(status="x"), [False]),
    (Instance, of_this(status="PAID"), [True]),
    (Instance, Count("payment_orders", filter=Q(payment_orders__status="x")), [0]),
    (Instance, Count("payment_orders", filter=~Q(payment_orders__status="PAID")), [2]),
    (Instance, ArrayAgg(Cast("payment_orders__status", TEXT), order_by="payment_orders__order_id"),
     [["PENDING", "PAID", "CANCELLED"]]),
]  # fmt: skip


@pytest.mark.parametrize(("model", "expression", "expected"), ANNOTATED)
def test_expressions_over_the_enum(
    model: type[models.Model], expression: Any, expected: list[Any]
) -> None:
    rows = model._default_manager.annotate(got=expression).order_by(
        "order_id" if model is PaymentOrder else "subdomain"
    )
    assert list(rows.values_list("got", flat=True)) == expected


def test_an_unknown_label_in_an_annotation_is_false_not_zero_nor_an_empty_query() -> None:
    marked = ORDERS.annotate(odd=Q(status="x"))

    assert marked.filter(odd=False).count() == 3
    assert marked.filter(odd=True).count() == 0
    assert list(marked.values("odd").annotate(n=Count("id"))) == [{"odd": False, "n": 3}]
    assert len(ORDERS.alias(odd=Q(status="x")).order_by("odd")) == 3


def test_an_unknown_label_in_a_filtered_relation_keeps_the_outer_rows(school: Instance) -> None:
    related = Instance.objects.annotate(
        odd=FilteredRelation("payment_orders", condition=Q(payment_orders__status="x"))
    )
    assert list(related.values_list("subdomain", "odd__order_id")) == [("sao-mai", None)]


def test_order_is_that_of_the_labels_and_aggregates_follow_it() -> None:
    assert list(ORDERS.order_by("-status").values_list("status", flat=True)) == [
        "CANCELLED",
        "PAID",
        "PENDING",
    ]
    assert ORDERS.aggregate(first=Min("status"), last=Max("status"), n=Count("status")) == {
        "first": "PENDING",
        "last": "CANCELLED",
        "n": 3,
    }
    none = Q(status="x")
    sums = ORDERS.aggregate(n=Count("id", filter=none), sum=Sum("amount", filter=none))
    assert sums == {"n": 0, "sum": None}
    assert list(ORDERS.values("tier").annotate(last=Max("status")).filter(last="CANCELLED"))
    assert not ORDERS.values("tier").annotate(last=Max("status")).filter(last="x")


def test_groups_distinct_and_union() -> None:
    PaymentOrderFactory(status="PAID")
    groups = ORDERS.values("status").annotate(n=Count("id")).order_by("status")

    assert list(groups.values_list("status", "n")) == [
        ("PENDING", 1),
        ("PAID", 2),
        ("CANCELLED", 1),
    ]
    assert ORDERS.values("status").distinct().count() == 3
    assert len(ORDERS.order_by("status", "order_id").distinct("status")) == 3
    paid, odd = ORDERS.filter(status="PAID"), ORDERS.filter(status="x")
    assert set(paid.values_list("status").union(odd.values_list("status"))) == {("PAID",)}
    text = ORDERS.filter(order_id="C").values_list("transaction_reference")
    assert set(paid.values_list(Cast("status", TEXT)).union(text)) == {("PAID",), ("bogus",)}
    assert ORDERS.filter(status="x").count() == 0
    assert not odd.exists()
    assert odd.update(amount=1) == 0
    assert odd.delete() == (0, {})
