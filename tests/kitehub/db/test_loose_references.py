"""References without a constraint: a row that is gone hides nobody and reads as None."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.serializers import deserialize, serialize
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Count, F, Prefetch, Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import PaymentOrder, Subscription
from branding.models import BrandingJob
from kitehub.models import Instance, User
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db

REFERENCES: list[tuple[type[models.Model], str, Any]] = [
    (PaymentOrder, "user", PaymentOrderFactory),
    (PaymentOrder, "instance", PaymentOrderFactory),
    (Subscription, "instance", SubscriptionFactory),
    (BrandingJob, "instance", BrandingJobFactory),
    (Instance, "owner", InstanceFactory),
]
every_reference = pytest.mark.parametrize(("model", "name", "factory"), REFERENCES)


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """Two rows of the reference under test: one whose target is gone, one whole."""
    dangling, whole = (request.getfixturevalue("factory")() for _ in range(2))
    target = getattr(dangling, request.getfixturevalue("name"))
    models.QuerySet(type(target)).filter(pk=target.pk).delete()
    dangling = type(dangling).objects.get(pk=dangling.pk)
    return dangling, whole


def field_of(model: type[models.Model], name: str) -> str:
    """A text column of the row referred to, as a lookup."""
    return f"{name}__email" if name in ("user", "owner") else f"{name}__subdomain"


@every_reference
def test_the_referrer_outlives_its_target_and_reads_none(
    model: Any, name: str, factory: Any, rows: tuple[Any, Any]
) -> None:
    dangling, whole = rows
    assert getattr(dangling, name) is None
    assert getattr(dangling, f"{name}_id") is not None
    assert getattr(whole, name) is not None
    assert getattr(model.objects.defer(f"{name}_id").get(pk=dangling.pk), name) is None
    assert str(dangling)


@every_reference
def test_no_way_to_list_drops_the_row(
    model: Any, name: str, factory: Any, rows: tuple[Any, Any]
) -> None:
    column = field_of(model, name)
    every = set(rows)
    lists = [
        model.objects.select_related(name),
        model.objects.select_related(),
        model.objects.prefetch_related(name),
        model.objects.prefetch_related(Prefetch(name)),
        model.objects.order_by(column),
        model.objects.select_related(name).order_by(f"-{column}"),
        model.objects.annotate(text=F(column)),
        model.objects.filter(Q(**{f"{column}__icontains": "n"}) | Q(**{f"{column}__isnull": True})),
        model.objects.exclude(**{column: "nobody"}),
        model.objects.filter(~Q(**{column: "nobody"})),
    ]
    for rows_listed in lists:
        assert set(rows_listed) == every, str(rows_listed.query)
    assert model.objects.values_list(column).count() == 2
    assert None in model.objects.values_list(column, flat=True)
    assert model.objects.values(column).annotate(n=Count("pk")).count() == 2


@every_reference
def test_select_related_and_prefetch_ask_no_second_time(
    model: Any, name: str, factory: Any, rows: tuple[Any, Any]
) -> None:
    for related, queries in (
        (model.objects.select_related(name), 1),
        (model.objects.prefetch_related(name), 2),
    ):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            found = {getattr(row, name) for row in related}
        assert found == {None, getattr(rows[1], name)}
        assert len(asked) == queries


@every_reference
def test_null_lookups_tell_an_unset_reference_from_a_dangling_one(
    model: Any, name: str, factory: Any, rows: tuple[Any, Any]
) -> None:
    dangling, whole = rows
    assert not model.objects.filter(**{f"{name}__isnull": True})
    assert set(model.objects.filter(**{f"{name}__isnull": False})) == set(rows)
    column = field_of(model, name)
    assert model.objects.get(**{f"{column}__isnull": True}) == dangling
    assert model.objects.get(**{f"{column}__isnull": False}) == whole
    assert model.objects.exclude(**{f"{column}__isnull": True}).get() == whole


@every_reference
def test_filters_by_the_target_find_the_whole_row_alone(
    model: Any, name: str, factory: Any, rows: tuple[Any, Any]
) -> None:
    dangling, whole = rows
    target = getattr(whole, name)
    assert model.objects.get(**{name: target}) == whole
    assert model.objects.get(**{name: target.pk}) == whole
    assert model.objects.get(**{f"{name}__in": [target]}) == whole
    assert model.objects.get(**{f"{name}__in": type(target).objects.all()}) == whole
    assert model.objects.get(**{f"{name}_id": getattr(dangling, f"{name}_id")}) == dangling
    assert model.objects.exclude(**{name: target}).get() == dangling
    column = field_of(model, name)
    text = getattr(target, column.split("__")[1])
    assert model.objects.get(**{column: text}) == whole
    assert model.objects.exclude(**{column: text}).get() == dangling


@every_reference
def test_a_dangling_row_can_be_saved_pointed_elsewhere_and_serialized(
    model: Any, name: str, factory: Any, rows: tuple[Any, Any]
) -> None:
    dangling, whole = rows
    gone = getattr(dangling, f"{name}_id")
    dangling.save()
    dangling.refresh_from_db()
    assert getattr(dangling, f"{name}_id") == gone
    (again,) = deserialize("json", serialize("json", [dangling]))
    again.save()
    assert getattr(model.objects.get(pk=dangling.pk), f"{name}_id") == gone
    if model is not Subscription:
        dangling.refresh_from_db()  # JSON keeps no microseconds, so loading it was a change
        setattr(dangling, name, getattr(whole, name))
        dangling.save()
        assert getattr(model.objects.get(pk=dangling.pk), name) == getattr(whole, name)


@every_reference
def test_columns_are_as_nullable_as_the_plan_says(model: Any, name: str, factory: Any) -> None:
    row = factory()
    setattr(row, f"{name}_id", None)
    if (model, name) == (PaymentOrder, "instance"):
        row.save()
        assert model.objects.get(instance__isnull=True) == row
        assert model.objects.select_related("instance").get().instance is None
        return
    with pytest.raises(IntegrityError, match="not-null"), transaction.atomic():
        row.save()
    with pytest.raises(ValidationError, match=name):
        row.full_clean()


def test_reverse_sides() -> None:
    school = InstanceFactory()
    orders = {PaymentOrderFactory(instance=school) for _ in range(2)}
    job, subscription = BrandingJobFactory(instance=school), SubscriptionFactory(instance=school)

    assert set(school.payment_orders.all()) == set(school.owner.payment_orders.all()) == orders
    assert school.branding_jobs.get() == job
    assert school.subscription == subscription
    assert school.owner.instances.get() == school
    owner = User.objects.prefetch_related("instances__payment_orders").get(instances=school)
    assert set(owner.instances.all()[0].payment_orders.all()) == orders
    assert Instance.objects.annotate(n=Count("payment_orders")).get(n=2) == school
    assert not InstanceFactory().payment_orders.exists()
    with pytest.raises(Subscription.DoesNotExist):
        _ = InstanceFactory().subscription


def test_an_instance_has_one_subscription_at_most() -> None:
    school = SubscriptionFactory().instance
    with pytest.raises(IntegrityError, match="subscriptions_instance_id_key"), transaction.atomic():
        SubscriptionFactory(instance=school)
    with pytest.raises(ValidationError, match="instance"):
        SubscriptionFactory.build(instance=school).full_clean()


def test_references_chain_through_a_missing_link() -> None:
    order = PaymentOrderFactory()
    order.instance.owner.delete()
    broken = PaymentOrderFactory()
    Instance.objects.filter(pk=broken.instance_id).hard_delete()

    rows = PaymentOrder.objects.select_related("instance__owner").in_bulk()
    assert [(row.instance and row.instance.owner) for row in rows.values()] == [None, None]
    assert [rows[each.pk].instance is None for each in (order, broken)] == [False, True]
    assert PaymentOrder.objects.exclude(instance__owner__email="x").count() == 2
    assert PaymentOrder.objects.order_by("instance__owner__email").count() == 2
    assert PaymentOrder.objects.filter(instance__owner__email__isnull=True).count() == 2


def test_a_softly_deleted_target_still_joins_and_reads() -> None:
    order = PaymentOrderFactory()
    Instance.objects.filter(pk=order.instance_id).update(deleted=True)

    assert not Instance.objects.filter(pk=order.instance_id).exists()
    assert PaymentOrder.objects.get().instance == order.instance
    assert PaymentOrder.objects.select_related("instance").get().instance == order.instance
    assert PaymentOrder.objects.prefetch_related("instance").get().instance == order.instance
    assert PaymentOrder.objects.get(instance__subdomain=order.instance.subdomain) == order
    assert order.instance.payment_orders.get() == order
    PaymentOrder.objects.update(deleted=True)
    assert not order.instance.payment_orders.exists()


def test_references_have_no_constraint_and_no_index_of_their_own() -> None:
    for model, name, _ in REFERENCES:
        column = f"{name}_id"
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        on_it = {key: made for key, made in found.items() if made["columns"] == [column]}
        assert not any(made["foreign_key"] for made in on_it.values())
        indexes = {key for key, made in on_it.items() if made["index"] or made["unique"]}
        # The plan's own, by name; Django would have added one with a hash in its name.
        assert indexes - {"subscriptions_instance_id_key"} == {
            index.name for index in model._meta.indexes if index.fields == [name]
        }


@pytest.mark.parametrize(
    "name", ["billing_paymentorder", "billing_subscription", "branding_brandingjob"]
)
def test_the_admin_lists_and_opens_rows_whose_instance_is_gone(
    name: str, back_office: Client
) -> None:
    rows = [PaymentOrderFactory(), SubscriptionFactory(), BrandingJobFactory()]
    Instance.objects.all().hard_delete()
    User.objects.filter(is_staff=False).delete()
    page = back_office.get(reverse(f"admin:{name}_changelist"))
    assert len(page.context["cl"].result_list) == 1
    (row,) = [row for row in rows if f"{row._meta.app_label}_{row._meta.model_name}" == name]
    assert back_office.get(reverse(f"admin:{name}_change", args=[row.pk])).status_code == 200


def test_an_id_that_never_existed_is_stored() -> None:
    order = PaymentOrderFactory()
    nobody = uuid4()
    PaymentOrder.objects.update(user=nobody, instance_id=nobody)
    order = PaymentOrder.objects.get()
    assert (order.user, order.user_id, order.instance, order.instance_id) == (None, nobody) * 2
