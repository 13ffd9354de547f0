"""Reading through EnumField: every lookup, expression and join, with known and unknown labels."""

from typing import Any

import pytest
from django.db import models
from django.db.models import (
    Case,
    F,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Lower

from billing.enums import PaymentStatus
from billing.models import PaymentOrder, Subscription
from branding.models import BrandingJob
from kitehub.models import Instance
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_off")]

ORDERS = PaymentOrder.objects
STATUS = PaymentOrder._meta.get_field("status")
TEXT = models.CharField()


@pytest.fixture(autouse=True)
def school(rules_off: None) -> Instance:
    """An instance with a subscription, a job and three orders: A pending, B paid, C cancelled.

    The orders' references, a text column, hold nothing, a label and what is no label.
    """
    school = InstanceFactory(subdomain="sao-mai")
    SubscriptionFactory(instance=school)
    BrandingJobFactory(instance=school)
    for code, status, reference in (
        ("A", "PENDING", None),
        ("B", "PAID", "PAID"),
        ("C", "CANCELLED", "bogus"),
    ):
        PaymentOrderFactory(
            order_id=code, instance=school, status=status, transaction_reference=reference
        )
    return school


def codes(orders: Any) -> str:
    return "".join(sorted(set(orders.values_list("order_id", flat=True))))


NOTHING = [
    *(
        (f"status__{how}", what)
        for how in ("exact", "gt", "gte", "lt", "lte")
        for what in ("x", "")
    ),
    *(("status__in", labels) for labels in ([], [None], ["x"], ["", "x"], [["PAID"]], "PAID")),
    *(("status__range", ends) for ends in (("x", "PAID"), ("PAID", "x"), ("", ""), (None, "PAID"))),
    *(
        (f"status__{how}", "x")
        for how in ("iexact", "icontains", "startswith", "endswith", "regex")
    ),
    ("status", None),
    ("status", 5),
    ("status", "ACTIVE"),  # a label of another enum
    ("status", "paid"),
    ("status", "PAID\x00"),
    ("status", Value("x")),
    ("status__in", [Value("x")]),
    ("status__in", PaymentOrder.objects.filter(status="x").values("status")),
    ("status__isnull", True),
    ("type", "x"),
    ("instance__payment_orders__status", "x"),
    ("instance__subscription__status", "x"),
    ("instance__branding_jobs__status__in", ["x"]),
]


@pytest.mark.parametrize(("lookup", "value"), NOTHING)
def test_what_is_no_label_matches_no_row_and_its_exclusion_all(lookup: str, value: Any) -> None:
    assert codes(ORDERS.filter(**{lookup: value})) == ""
    assert codes(ORDERS.exclude(**{lookup: value})) == "ABC"
    assert codes(ORDERS.filter(Q(**{lookup: value}) | Q(order_id="A"))) == "A"
    assert codes(ORDERS.filter(~Q(**{lookup: value}), order_id="A")) == "A"


SOMETHING: list[tuple[str, Any, str]] = [
    ("status", PaymentStatus.PAID, "B"),
    ("status", Value("PAID"), "B"),
    ("status__in", ["PAID", None, "", "x", "PENDING"], "AB"),
    ("status__in", ("PAID",), "B"),
    ("status__in", (label for label in ["PAID"]), "B"),
    ("status__in", [F("status"), "x"], "ABC"),
    ("status__in", [F("transaction_reference"), "CANCELLED", "x"], "BC"),
    ("status__in", PaymentOrder.objects.filter(order_id="B").values("status"), "B"),
    ("status__in", PaymentOrder.objects.values("transaction_reference"), "B"),
    ("status__gt", "PAID", "C"),  # PENDING, PAID, EXPIRED, CANCELLED: the labels' order
    ("status__lte", "PAID", "AB"),
    ("status__range", ("PENDING", "PAID"), "AB"),
    ("status__range", (F("status"), "PAID"), "AB"),
    ("status__iexact", "paid", "B"),
    ("status__icontains", "pa", "B"),
    ("status__contains", "", "ABC"),
    ("status__startswith", "P", "AB"),
    ("status__endswith", "LED", "C"),
    ("status__regex", "^P(A|E)", "AB"),
    ("status__isnull", False, "ABC"),
    ("status", F("status"), "ABC"),
    ("status", F("transaction_reference"), "B"),
    ("status", Lower("transaction_reference"), ""),
    ("status", F("type"), ""),
    ("status", F("instance__subscription__status"), ""),
    ("status", Coalesce("transaction_reference", Value("PENDING")), "AB"),
    ("status", Case(When(amount__gt=0, then=Value("PAID"))), "B"),
    ("status", Subquery(PaymentOrder.objects.filter(order_id="B").values("status")), "B"),
    ("status", PaymentOrder.objects.filter(order_id="C").values("status")[:1], "C"),
    ("transaction_reference", Cast("status", TEXT), "B"),
    ("transaction_reference__in", [Cast("status", TEXT), "bogus"], "BC"),
    ("instance__subscription__status__in", ["ACTIVE", "x"], "ABC"),
    ("instance__branding_jobs__status", "PENDING", "ABC"),
]


@pytest.mark.parametrize(("lookup", "value", "expected"), SOMETHING)
def test_labels_columns_and_subqueries_compare(lookup: str, value: Any, expected: str) -> None:
    assert codes(ORDERS.filter(**{lookup: value})) == expected


def test_joins_from_the_other_side() -> None:
    bare = InstanceFactory()
    schools = Instance.objects.order_by("subdomain")

    assert not schools.filter(payment_orders__status="bogus").exists()
    assert not schools.filter(subscription__status="bogus").exists()
    assert schools.exclude(payment_orders__status="bogus").count() == 2
    assert schools.exclude(subscription__status="bogus").count() == 2
    assert list(schools.exclude(payment_orders__status="PAID")) == [bare]
    assert list(schools.exclude(subscription__status="ACTIVE")) == [bare]
    assert schools.filter(payment_orders__status__in=["PAID", "bogus"]).count() == 1


@pytest.mark.parametrize("model", [Subscription, BrandingJob, PaymentOrder])
def test_each_enum_column_forgives_unknown_labels(model: Any) -> None:
    assert not model.objects.filter(status="bogus").exists()
    assert model.objects.exclude(status="bogus").count() == model.objects.count() > 0
    assert not model.objects.filter(status__range=("bogus", "PENDING")).exists()
