"""Schools whose programs ask the API."""

from typing import Any

import pytest
from django.test import Client

from kitehub.enums import ApiScope, Tier
from kitehub.models import Instance
from kitehub.services import api_keys
from tests.factories.billing import SubscriptionFactory
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory

URL = "/api/v1/entitlements"


def key_of(instance: Instance, *, scopes: Any = ApiScope.values) -> str:
    """The text of a new key."""
    issued = api_keys.issue(instance=instance, name="Website", scopes=list(scopes), actor="t")
    return issued.secret_text


def program(instance: Instance, *, scopes: Any = ApiScope.values) -> Client:
    """A program of an instance, with a key of its own."""
    return Client(headers={"authorization": f"Bearer {key_of(instance, scopes=scopes)}"})


@pytest.fixture
def school(db: None) -> Instance:
    """A school of the pool that has paid for STANDARD."""
    instance = InstanceFactory(tier=Tier.STANDARD)
    InstanceConfigFactory(instance_id=instance.id, tier=Tier.STANDARD)
    SubscriptionFactory(instance=instance, tier=Tier.STANDARD)
    return instance
