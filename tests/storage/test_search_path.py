"""The ledger counts in its own tables, wherever a writer's search path leads."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from storage.models import StorageUsage
from tests.factories.kitehub import InstanceConfigFactory
from tests.storage.ledger import used

pytestmark = pytest.mark.django_db

UPLOAD = (
    "INSERT INTO public.storage_events"
    " (instance_id, file_type, file_name, file_url, file_size_bytes, operation, created_by)"
    " VALUES (%s, 'IMAGE', 'a', 'u', 70, 'UPLOAD', 'a')"
)
RESERVE = (
    "INSERT INTO public.storage_reservations (id, instance_id, size_bytes, status, expires_at)"
    " VALUES (gen_random_uuid(), %s, %s, 'OPEN', now() + interval '1 hour')"
)


def execute(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)


def shadowed() -> None:
    """Temporary tables of the same names, which come before all others."""
    for name in ("storage_usage", "instance_configs"):
        execute(f"CREATE TEMPORARY TABLE {name} (LIKE public.{name} INCLUDING ALL)")


def empty() -> None:
    """As pg_dump --data-only writes it."""
    execute("SET LOCAL search_path = ''")


@pytest.fixture(params=[shadowed, empty])
def misled(request: pytest.FixtureRequest) -> Callable[[], None]:
    led: Callable[[], None] = request.param
    return led


@pytest.fixture
def instance() -> UUID:
    key = uuid4()
    InstanceConfigFactory(instance_id=key, limitations={"maxStorageBytes": 100})
    return key


def straight() -> None:
    execute("DROP TABLE IF EXISTS pg_temp.storage_usage, pg_temp.instance_configs")
    execute("SET LOCAL search_path = public")


def test_uploads_are_counted(misled: Callable[[], None], instance: UUID) -> None:
    misled()
    execute(UPLOAD, instance)
    execute(UPLOAD, other := uuid4())
    straight()
    assert (used(instance), used(other)) == (70, 70)


def test_room_is_that_of_the_real_limit(misled: Callable[[], None], instance: UUID) -> None:
    misled()
    execute(RESERVE, instance, 60)
    with pytest.raises(IntegrityError, match="no room"), transaction.atomic():
        execute(RESERVE, instance, 60)
    straight()
    assert StorageUsage.objects.get(instance_id=instance).reserved_bytes == 60


def test_limits_follow_the_config(misled: Callable[[], None], instance: UUID) -> None:
    misled()
    execute("UPDATE public.instance_configs SET limitations = '{\"maxStorageBytes\": 7}'")
    straight()
    assert StorageUsage.objects.get(instance_id=instance).limit_bytes == 7


def test_emptied_tables_hold_no_room_and_give_no_limit(instance: UUID) -> None:
    execute(RESERVE, instance, 60)
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("TRUNCATE storage_reservations")
    assert StorageUsage.objects.get(instance_id=instance).reserved_bytes == 0
    execute("TRUNCATE instance_configs")
    assert StorageUsage.objects.get(instance_id=instance).limit_bytes == 0
