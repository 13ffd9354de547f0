"""The plan's triggers work for whoever writes: the ORM one row at a time, in bulk, and raw SQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.db import connection, models

from billing.enums import SubscriptionStatus
from billing.models import PaymentOrder, Subscription, SubscriptionHistory
from branding.models import BrandingJob
from kitehub.models import Instance, InstanceConfig
from storage.enums import FileType, StorageOperation
from storage.models import StorageEvent, StorageUsage
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

# Each model with `updated_at`, and a text column of it to change.
RECORDS = {
    InstanceConfig: (InstanceConfigFactory, "created_by"),
    PaymentOrder: (PaymentOrderFactory, "payment_content"),
    Instance: (InstanceFactory, "organization_name"),
    BrandingJob: (BrandingJobFactory, "organization_name"),
    Subscription: (SubscriptionFactory, "created_by"),
}


def save(row: models.Model, column: str) -> None:
    setattr(row, column, "changed")
    row.save()


def update(row: models.Model, column: str) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**{column: "changed"})


def bulk_update(row: models.Model, column: str) -> None:
    setattr(row, column, "changed")
    type(row)._default_manager.bulk_update([row], [column])


def raw_sql(row: models.Model, column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {row._meta.db_table} SET {column} = 'changed' WHERE id = %s", [row.pk]
        )


WRITERS = [save, update, bulk_update, raw_sql]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model._meta.db_table)
def test_any_change_moves_updated_at(
    model: type[models.Model], write: Callable[[models.Model, str], None]
) -> None:
    factory, column = RECORDS[model]
    row = factory(updated_at=LONG_AGO)
    other = factory(updated_at=LONG_AGO)

    write(row, column)

    row.refresh_from_db()
    other.refresh_from_db()
    assert getattr(row, column) == "changed"
    assert row.updated_at > LONG_AGO
    assert other.updated_at == LONG_AGO


class TestSubscriptionHistory:
    @staticmethod
    def history(subscription: Subscription) -> list[tuple[str, str, int, str | None]]:
        rows = SubscriptionHistory.objects.filter(subscription=subscription)
        return list(rows.values_list("tier", "status", "monthly_price", "changed_by"))

    def test_a_saved_change_leaves_a_row_with_the_new_values(self) -> None:
        subscription = SubscriptionFactory(status=SubscriptionStatus.TRIAL)
        before = len(self.history(subscription))
        subscription.status = SubscriptionStatus.ACTIVE
        subscription.updated_by = "Lê Na"
        subscription.save()

        price = subscription.monthly_price
        assert self.history(subscription)[before:] == [("BASIC", "ACTIVE", price, "Lê Na")]

    def test_a_bulk_change_leaves_a_row_for_each_subscription(self) -> None:
        some = SubscriptionFactory.create_batch(3)
        before = SubscriptionHistory.objects.count()
        Subscription.objects.filter(pk__in=[each.pk for each in some]).update(
            status=SubscriptionStatus.PAST_DUE
        )

        logged = SubscriptionHistory.objects.filter(status=SubscriptionStatus.PAST_DUE)
        assert {row.subscription_id for row in logged} == {each.pk for each in some}
        assert SubscriptionHistory.objects.count() == before + 3

    def test_raw_sql_is_logged_too(self) -> None:
        subscription = SubscriptionFactory()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE subscriptions SET monthly_price = 1, updated_by = 'psql' WHERE id = %s",
                [subscription.pk],
            )

        assert ("BASIC", "ACTIVE", 1, "psql") in self.history(subscription)


class TestStorageUsage:
    @staticmethod
    def event(instance: UUID, size: int, operation: StorageOperation) -> StorageEvent:
        return StorageEvent(
            instance_id=instance,
            file_type=FileType.IMAGE,
            file_name="a.png",
            file_url="https://files.vn/a.png",
            file_size_bytes=size,
            operation=operation,
        )

    @staticmethod
    def used(instance: UUID) -> int:
        return StorageUsage.objects.get(instance_id=instance).used_bytes

    def test_the_first_upload_makes_the_row(self) -> None:
        instance = uuid4()
        self.event(instance, 700, StorageOperation.UPLOAD).save()

        assert self.used(instance) == 700

    def test_uploads_in_bulk_count_each_file_of_each_instance(self) -> None:
        one, other = uuid4(), uuid4()
        upload = StorageOperation.UPLOAD
        StorageEvent.objects.bulk_create(
            self.event(instance, size, upload)
            for instance, size in ((one, 100), (other, 5), (one, 10))
        )

        assert self.used(one) == 110
        assert self.used(other) == 5

    def test_a_deletion_gives_back_its_bytes_but_never_below_zero(self) -> None:
        instance = uuid4()
        self.event(instance, 300, StorageOperation.UPLOAD).save()
        self.event(instance, 100, StorageOperation.DELETE).save()
        after_one = self.used(instance)
        self.event(instance, 900, StorageOperation.DELETE).save()

        assert after_one == 200
        assert self.used(instance) == 0

    def test_raw_sql_counts_and_moves_last_updated(self) -> None:
        instance = uuid4()
        StorageUsage.objects.create(instance_id=instance, limit_bytes=0, last_updated=LONG_AGO)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO storage_events (instance_id, file_type, file_name, file_url,"
                " file_size_bytes, operation) VALUES (%s, 'IMAGE', 'b', 'b', 42, 'UPLOAD')",
                [instance],
            )

        usage = StorageUsage.objects.get(instance_id=instance)
        assert usage.used_bytes == 42
        assert usage.last_updated > LONG_AGO
