"""The five tables of records, and everybody who writes to them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from asgiref.sync import async_to_sync
from django.db import connection
from factory.django import DjangoModelFactory

from kitehub.db.base import Record
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory

# With a column that no lifecycle guards, and two values for it.
TABLES: Mapping[str, tuple[type[DjangoModelFactory[Any]], str, Any, Any]] = {
    "instances": (InstanceFactory, "organization_name", "Sao Mai", "Hoa Sen"),
    "instance_configs": (InstanceConfigFactory, "tier", "BASIC", "PREMIUM"),
    "payment_orders": (PaymentOrderFactory, "amount", 299_000, 599_000),
    "subscriptions": (SubscriptionFactory, "monthly_price", 299_000, 599_000),
    "branding_jobs": (BrandingJobFactory, "organization_name", "Sao Mai", "Hoa Sen"),
}

Writer = Callable[[Any, str, Any], None]


def execute(statement: str, *params: Any) -> list[tuple[Any, ...]]:
    """Runs SQL past the ORM; returns its rows if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def without_trigger(table: str, trigger: str) -> Iterator[None]:
    """Takes a guard away, to see what it is for."""
    execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    try:
        yield
    finally:
        execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")


def save(row: Record, column: str, value: Any) -> None:
    setattr(row, column, value)
    row.save()


def save_one_field(row: Record, column: str, value: Any) -> None:
    setattr(row, column, value)
    row.save(update_fields=[column])


def asave(row: Record, column: str, value: Any) -> None:
    setattr(row, column, value)
    async_to_sync(row.asave)()


def update(row: Record, column: str, value: Any) -> None:
    type(row)._base_manager.filter(pk=row.pk).update(**{column: value})


def bulk_update(row: Record, column: str, value: Any) -> None:
    setattr(row, column, value)
    type(row)._base_manager.bulk_update([row], [column])


def upsert(row: Record, column: str, value: Any) -> None:
    setattr(row, column, value)
    type(row)._base_manager.bulk_create(
        [row], update_conflicts=True, unique_fields=["id"], update_fields=[column]
    )


def raw_sql(row: Record, column: str, value: Any) -> None:
    execute(f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s", value, row.pk)


def raw_sql_that_lies(row: Record, column: str, value: Any) -> None:
    """A writer that thinks it knows the version."""
    execute(
        f"UPDATE {row._meta.db_table} SET {column} = %s, version = 99, updated_at = '2001-01-01'"
        " WHERE id = %s",
        value,
        row.pk,
    )


def jpa(row: Record, column: str, value: Any) -> None:
    """How Hibernate writes an entity with @Version."""
    execute(
        f"UPDATE {row._meta.db_table} SET {column} = %s, version = %s"
        " WHERE id = %s AND version = %s",
        value,
        row.version + 1,
        row.pk,
        row.version,
    )


SAVES: Mapping[str, Writer] = {each.__name__: each for each in (save, save_one_field, asave)}
# Everybody who changes what is given, and says nothing of a version.
PLAIN: Mapping[str, Writer] = {
    **SAVES,
    **{each.__name__: each for each in (update, bulk_update, upsert, raw_sql)},
}
WRITERS: Mapping[str, Writer] = {
    **PLAIN,
    **{each.__name__: each for each in (raw_sql_that_lies, jpa)},
}


def make(table: str) -> tuple[Any, str, Any]:
    """A new row as the database has it, a column to change, and another value for it."""
    factory, column, before, after = TABLES[table]
    row = factory.create(**{column: before})
    return reread(row), column, after


def reread(row: Any) -> Any:
    """The row as it is now, deleted or not."""
    return type(row)._base_manager.get(pk=row.pk)
