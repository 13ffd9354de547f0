"""EnumField as a field: migrations, forms, the admin, serializers, pickles, raw SQL, async."""

import copy
import pickle
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.db import DataError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.writer import MigrationWriter
from django.db.models import Q
from django.forms import modelform_factory
from django.test import Client
from django.urls import reverse

from billing.enums import PaymentStatus
from billing.models import PaymentOrder, Subscription
from branding.models import BrandingJob
from kitehub.db.fields import EnumField
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.branding import BrandingJobFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_off")]

STATUS = PaymentOrder._meta.get_field("status")


def test_the_column_is_the_enum_and_the_labels_are_the_enums() -> None:
    with connection.cursor() as cursor:
        for model in (PaymentOrder, Subscription, BrandingJob):
            field = model._meta.get_field("status")
            cursor.execute(f"SELECT unnest(enum_range(NULL::{field.enum_type}))::text")
            assert [label for (label,) in cursor.fetchall()] == field.enum.values
            assert field.db_type(connection) == field.cast_db_type(connection) == field.enum_type
            assert model.check(databases=["default"]) == []


def test_deconstruct_leaves_the_labels_to_the_sql_and_clones_the_rest() -> None:
    name, path, args, kwargs = STATUS.deconstruct()

    assert (name, path, args) == ("status", "kitehub.db.fields.EnumField", [])
    assert kwargs["enum_type"] == "payment_status"
    assert not {"choices", "enum", "max_length"} & set(kwargs)
    again = EnumField(*args, **kwargs)
    assert again.deconstruct()[1:] == STATUS.clone().deconstruct()[1:] == (path, args, kwargs)
    source, imports = MigrationWriter.serialize(STATUS)
    assert "enum_type='payment_status'" in source
    assert "import kitehub.db.fields" in imports


def test_a_migrations_own_model_reads_writes_and_filters_labels() -> None:
    PaymentOrderFactory(status="PAID")
    historical = MigrationLoader(connection).project_state().apps.get_model(
        "billing", "PaymentOrder"
    )  # fmt: skip

    assert historical._meta.get_field("status").enum is None
    order = historical.objects.get(status="PAID", status__in=["PAID", "PENDING"])
    order.status = "EXPIRED"
    order.save()
    assert historical.objects.filter(status__range=("PAID", "EXPIRED")).count() == 1
    assert PaymentOrder.objects.get().status == "EXPIRED"
    with pytest.raises(DataError), transaction.atomic():  # it can't tell what is a label
        historical.objects.filter(status="bogus").exists()


def test_a_form_offers_the_labels_and_refuses_others() -> None:
    form_class = modelform_factory(PaymentOrder, fields=["status"])
    order = PaymentOrderFactory()

    assert [value for value, _ in form_class(instance=order).fields["status"].choices if value] == (
        PaymentStatus.values
    )
    assert set(form_class({"status": "bogus"}, instance=order).errors) == {"status"}
    assert form_class({"status": "EXPIRED"}, instance=order).save().status == "EXPIRED"
    assert PaymentOrder.objects.get().get_status_display() == PaymentStatus.EXPIRED.label


@pytest.mark.parametrize("lookup", ["status", "status__exact", "status__in", "type__exact"])
@pytest.mark.parametrize(
    "name", ["billing_paymentorder", "billing_subscription", "branding_brandingjob"]
)
def test_the_admin_lists_nothing_for_an_unknown_label(
    name: str, lookup: str, back_office: Client
) -> None:
    if lookup.startswith("type") and name != "billing_paymentorder":
        lookup = "status__exact"
    PaymentOrderFactory()
    SubscriptionFactory()
    BrandingJobFactory()
    page = back_office.get(reverse(f"admin:{name}_changelist"), {lookup: "bogus"})
    assert page.status_code == 200
    assert list(page.context["cl"].result_list) == []


def test_the_admin_filters_by_a_label(back_office: Client) -> None:
    paid, _ = PaymentOrderFactory(status="PAID"), PaymentOrderFactory()
    url = reverse("admin:billing_paymentorder_changelist")
    page = back_office.get(url, {"status__exact": "PAID"})
    assert list(page.context["cl"].result_list) == [paid]


@pytest.mark.parametrize("file_format", ["json", "jsonl", "xml"])
def test_dumpdata_and_loaddata_keep_the_labels(tmp_path: Path, file_format: str) -> None:
    paid = PaymentOrderFactory(status="PAID")
    BrandingJobFactory(status="FAILED")
    dump = tmp_path / f"dump.{file_format}"
    models = ["billing.PaymentOrder", "branding.BrandingJob"]
    call_command("dumpdata", *models, format=file_format, output=dump, stdout=StringIO())
    PaymentOrder.objects.all().hard_delete()
    BrandingJob.objects.all().hard_delete()

    call_command("loaddata", dump, verbosity=0)

    assert PaymentOrder.objects.get(status="PAID") == paid
    assert BrandingJob.objects.get().status == "FAILED"


def pickled(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))  # noqa: S301 - made in this very line


def test_pickles_and_copies() -> None:
    order = PaymentOrderFactory(status="PAID")
    orders = PaymentOrder.objects.filter(Q(status__in=["PAID", "bogus"]) & ~Q(status="bogus"))

    for copied in (pickled(orders.query), copy.deepcopy(orders.query)):
        again = PaymentOrder.objects.all()
        again.query = copied
        assert list(again) == [order]
    assert pickled(orders).get().status == "PAID"
    assert pickled(order).status == copy.deepcopy(order).status == "PAID"
    assert copy.deepcopy(STATUS).enum is PaymentStatus
    assert pickled(STATUS) is STATUS


def test_a_queryset_with_an_unknown_label_may_be_run_again_and_combined() -> None:
    order = PaymentOrderFactory(status="PAID")
    none = PaymentOrder.objects.filter(status__in=["bogus"])
    some = PaymentOrder.objects.filter(status__in=["bogus", "PAID"])

    assert [len(none.all()), len(none.all()), len(some.all()), len(some.all())] == [0, 0, 1, 1]
    assert (none | some).get() == (some | none).get() == order
    assert not (none & some)
    assert str(none.query).endswith("1 = 0)")


def test_every_way_to_read() -> None:
    order = PaymentOrderFactory(status="PAID")
    orders = PaymentOrder.objects.filter(status="PAID")

    assert "payment_orders" in orders.explain()
    assert [row.status for row in orders.iterator(chunk_size=1)] == ["PAID"]
    assert list(orders.values_list("status", flat=True)) == ["PAID"]
    assert list(orders.values("status")) == [{"status": "PAID"}]
    assert orders.in_bulk([order.pk])[order.pk].status == "PAID"
    assert orders.only("order_id").get().status == orders.defer("status").get().status == "PAID"
    assert orders.select_for_update(of=("self",)).get().status == "PAID"
    raw = "SELECT * FROM payment_orders WHERE status = %s"
    assert [row.status for row in PaymentOrder.objects.raw(raw, ["PAID"])] == ["PAID"]
    assert orders.first() == orders.latest("status") == orders.last() == order


def test_async_orm() -> None:
    async def use() -> tuple[Any, ...]:
        order = await PaymentOrder.objects.aget(status=PaymentStatus.PAID)
        order.status = PaymentStatus.EXPIRED
        await order.asave()
        rows = [row.status async for row in PaymentOrder.objects.filter(status__in=["EXPIRED"])]
        changed = await PaymentOrder.objects.aupdate(status="CANCELLED")
        return rows, changed, await PaymentOrder.objects.filter(status="bogus").acount()

    PaymentOrderFactory(status="PAID")
    assert async_to_sync(use)() == (["EXPIRED"], 1, 0)
