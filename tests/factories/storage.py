"""Storage usage, events and reservations."""

from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from kitehub.enums import Tier
from kitehub.plans import PLANS
from storage.enums import FileType, StorageOperation
from storage.models import Reservation, StorageEvent, StorageUsage


class StorageUsageFactory(DjangoModelFactory[StorageUsage]):
    """An empty store with STANDARD's limit."""

    class Meta:
        model = StorageUsage

    instance_id = factory.Faker("uuid4", cast_to=None)
    used_bytes = 0
    limit_bytes = PLANS[Tier.STANDARD].storage_bytes


class StorageEventFactory(DjangoModelFactory[StorageEvent]):
    """The upload of a picture of one megabyte; the database's trigger counts it."""

    class Meta:
        model = StorageEvent

    instance_id = factory.Faker("uuid4", cast_to=None)
    file_type = FileType.IMAGE
    file_name = factory.Sequence(lambda n: f"anh-{n}.jpg")
    file_url = factory.LazyAttribute(lambda event: f"https://cdn.example.vn/{event.file_name}")
    file_size_bytes = 1_000_000
    operation = StorageOperation.UPLOAD


class ReservationFactory(DjangoModelFactory[Reservation]):
    """Room for nothing yet, which every instance has, for an hour."""

    class Meta:
        model = Reservation

    instance_id = factory.Faker("uuid4", cast_to=None)
    size_bytes = 0
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=1))
