"""Schools for tests of moves and gates: one in the pool, with rows in every tenant table."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from analytics.models import GuestEvent, GuestSession
from kitehub import tenancy
from kitehub.enums import Tier
from kitehub.models import Instance, InstanceConfig, InstanceMove
from kitehub.moving import copying, move
from kitehub.tenancy import provisioning
from kitehub.tenancy.connections import close_all
from storage import services as storage
from storage.enums import StorageOperation
from storage.models import StorageEvent, StorageUsage
from tests.factories.kitehub import InstanceFactory

SIZE = 7


def school(**said: Any) -> Instance:
    """A school in the pool with rows in all of its tables, some of them touched twice."""
    made = InstanceFactory(**{"tier": Tier.STANDARD, **said})
    with tenancy.use(made):
        config = InstanceConfig.objects.create(tier=Tier.STANDARD, limitations={"x": None})
        config.features = {"media": True}
        config.save()
        GuestSession.objects.create(
            session_id=f"s-{made.pk.hex[:20]}",
            expires_at=timezone.now() + timedelta(hours=1),
            user_agent='a\ttab, a "quote", \\ and a\nline',
        )
        GuestEvent.objects.bulk_create(
            GuestEvent(session_id="s", event_type="page_view", metadata={"n": n, "tên": "ă"})
            for n in range(20)
        )
        upload(made.pk)
        upload(made.pk, operation=StorageOperation.DELETE, size=3)
        storage.reserve(instance_id=made.pk, size=11)
    return made


def upload(
    instance_id: UUID,
    *,
    operation: StorageOperation = StorageOperation.UPLOAD,
    size: int = SIZE,
    event_id: UUID | None = None,
) -> StorageEvent:
    """Records one event of the instance that code works for."""
    return storage.record(
        instance_id=instance_id,
        operation=operation,
        size=size,
        file_name="anh.jpg",
        file_url="u",
        file_type="IMAGE",
        event_id=event_id or uuid4(),
    )


def upload_in(instance: Instance) -> None:
    """Records one event wherever the school lives."""
    with tenancy.use(fresh(instance)):
        upload(instance.pk)


def moved(instance: Instance, place: str) -> InstanceMove | None:
    """Moves the school, from wherever it lives."""
    return move(instance=fresh(instance), to=place, actor="ops")


def count_databases(instance: Instance) -> int:
    """How many silos of the school's there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_database WHERE datname = %s", [f"kitehub_{instance.pk.hex}"]
        )
        return int(cursor.fetchone()[0])


def fresh(instance: Instance) -> Instance:
    """The instance's row as it is now."""
    return Instance.all_objects.get(pk=instance.pk)


def assert_ledger(instance: Instance, expected: int) -> None:
    """The sum and the events behind it are what was written, once."""
    with tenancy.use(fresh(instance)):
        usage = StorageUsage.objects.get()
        assert usage.used_bytes == expected
        assert storage.drifts(instance_id=instance.pk) == []


def sums(instance: Instance) -> copying.Sums:
    """Counts and checksums of the rows where the instance lives."""
    return copying.sums(tenancy.alias_of(fresh(instance)), instance.pk)


@contextmanager
def silos_dropped() -> Iterator[None]:
    """Drops afterwards what moves have made on the tests' server."""
    try:
        yield
    finally:
        close_all()
        with provisioning.administration() as admin:
            for row in Instance.all_objects.all():
                name = f"kitehub_{row.pk.hex}"
                provisioning.drop(admin, name, name)


@pytest.fixture
def moved_school(transactional_db: None) -> Iterator[Instance]:
    """A school in the pool that may be moved to a silo, which is dropped afterwards."""
    with silos_dropped():
        yield school()
