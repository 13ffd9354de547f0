"""Guest sessions and events."""

from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from analytics.enums import DeviceType, EventType, GuestSource
from analytics.models import GuestEvent, GuestSession


class GuestSessionFactory(DjangoModelFactory[GuestSession]):
    """A visit by phone of half an hour at most."""

    class Meta:
        model = GuestSession

    session_id = factory.Sequence(lambda n: f"session-{n}")
    instance_id = factory.Faker("uuid4", cast_to=None)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=30))
    source = GuestSource.ORGANIC
    device_type = DeviceType.MOBILE


class GuestEventFactory(DjangoModelFactory[GuestEvent]):
    """A page view."""

    class Meta:
        model = GuestEvent

    session_id = factory.Sequence(lambda n: f"session-{n}")
    instance_id = factory.Faker("uuid4", cast_to=None)
    event_type = EventType.PAGE_VIEW
