"""The ORM's delete marks rows, and only hard_delete loses them."""

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError

from billing.models import PaymentOrder, Subscription
from kitehub.db.base import StaleRow
from kitehub.models import Instance
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db


def test_delete_of_a_row_hides_it_and_restore_brings_it_back() -> None:
    order = PaymentOrderFactory()
    assert order.delete() == (1, {"billing.PaymentOrder": 1})
    assert order.deleted_at is not None
    assert not PaymentOrder.objects.exists()
    kept = PaymentOrder.all_objects.get()
    assert (kept.deleted, kept.version) == (True, 1)
    assert order.restore() == (1, {"billing.PaymentOrder": 1})
    assert order.deleted_at is None
    assert PaymentOrder.objects.get() == order


def test_delete_and_restore_of_a_queryset_count_what_they_change() -> None:
    PaymentOrderFactory.create_batch(2)
    PaymentOrderFactory(deleted=True)
    assert PaymentOrder.all_objects.all().delete() == (2, {"billing.PaymentOrder": 2})
    assert PaymentOrder.all_objects.all().delete() == (0, {})
    assert PaymentOrder.all_objects.filter(deleted_at__isnull=False).count() == 3
    assert PaymentOrder.all_objects.all().restore() == (3, {"billing.PaymentOrder": 3})


def test_what_refers_to_a_deleted_row_stays() -> None:
    order = PaymentOrderFactory()
    order.instance.delete()
    kept = PaymentOrder.objects.get()
    assert kept.version == order.version
    assert kept.instance.deleted


def test_rows_of_an_instance_are_marked_through_its_relation() -> None:
    order = PaymentOrderFactory()
    PaymentOrderFactory()
    order.instance.payment_orders.all().delete()
    assert [row.pk for row in PaymentOrder.all_objects.filter(deleted=True)] == [order.pk]


def test_delete_of_a_row_that_moved_on_is_refused() -> None:
    order = PaymentOrderFactory()
    PaymentOrder.objects.update(amount=1)
    with pytest.raises(StaleRow), transaction.atomic():
        order.delete()
    assert not order.deleted
    assert PaymentOrder.objects.exists()


def test_hard_delete_loses_the_row() -> None:
    first, second = PaymentOrderFactory.create_batch(2)
    first.hard_delete()
    PaymentOrder.objects.filter(pk=second.pk).hard_delete()
    assert not PaymentOrder.all_objects.exists()


def test_hard_delete_of_what_has_an_audit_trail_is_refused() -> None:
    subscription = SubscriptionFactory()
    with pytest.raises(ProtectedError):
        subscription.hard_delete()
    with pytest.raises(ProtectedError):
        Subscription.objects.all().hard_delete()


@pytest.mark.parametrize("method", ["delete", "restore", "hard_delete"])
def test_a_manager_alone_cannot_mean_every_row(method: str) -> None:
    assert not hasattr(PaymentOrder.objects, method)
    assert not hasattr(PaymentOrder.all_objects, method)


def test_key_of_a_deleted_row_stays_taken() -> None:
    gone = InstanceFactory(subdomain="sao-mai")
    gone.delete()
    again = InstanceFactory.build(subdomain="sao-mai", owner=gone.owner)
    with pytest.raises(ValidationError) as refused:
        again.full_clean()
    (error,) = refused.value.error_dict["subdomain"]
    assert (error.code, error.params["row"]) == ("unique_deleted", gone)
    Instance.all_objects.all().restore()
    with pytest.raises(ValidationError) as refused:
        again.full_clean()
    (error,) = refused.value.error_dict["subdomain"]
    assert error.code == "unique"


def test_deleted_row_is_not_in_its_own_way() -> None:
    gone = InstanceFactory(deleted=True)
    gone.validate_unique()
