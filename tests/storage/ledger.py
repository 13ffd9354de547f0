"""Short ways to write events and reservations, and to read what became of them."""

from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from storage import services
from storage.models import Reservation, StorageEvent, StorageUsage

FILE = {"file_name": "a.jpg", "file_url": "https://cdn.example.vn/a.jpg", "file_type": "IMAGE"}
COLUMNS = "instance_id, file_type, file_name, file_url, file_size_bytes, operation"


def write(*rows: tuple[UUID, str, int]) -> None:
    """Inserts (instance, operation, size) in one statement, as another program would."""
    values = ", ".join(["(%s, 'IMAGE', 'anh.jpg', 'https://cdn.example.vn/anh.jpg', %s, %s)"])
    parameters: list[Any] = []
    for instance, operation, size in rows:
        parameters += [instance, size, operation]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO storage_events ({COLUMNS}) VALUES {', '.join([values] * len(rows))}",
            parameters,
        )


def upload(instance: UUID, size: int) -> None:
    write((instance, "UPLOAD", size))


def delete(instance: UUID, size: int) -> None:
    write((instance, "DELETE", size))


def usage(instance: UUID) -> StorageUsage:
    return StorageUsage.objects.get(instance_id=instance)


def used(instance: UUID) -> int:
    """The bytes in use, having seen that they are what the events add up to."""
    there = usage(instance).used_bytes
    assert there == StorageEvent.objects.of_instance(instance).counted_bytes()
    return there


def with_room(limit: int) -> UUID:
    """An instance without config that may store so many bytes."""
    instance = uuid4()
    StorageUsage.objects.create(instance_id=instance, limit_bytes=limit)
    return instance


def commit(reservation: Reservation, **options: Any) -> StorageEvent:
    return services.commit(reservation_id=reservation.pk, **{**FILE, **options})


def reserved(instance: UUID) -> int:
    """The bytes set aside, having seen that they are those of the open reservations."""
    there = usage(instance).reserved_bytes
    open_ones = Reservation.objects.of_instance(instance).open()
    assert there == sum(open_ones.values_list("size_bytes", flat=True))
    return there
