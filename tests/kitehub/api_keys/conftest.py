"""A school with a key."""

import pytest

from kitehub.enums import ApiScope
from kitehub.models import Instance
from kitehub.services import api_keys
from kitehub.services.api_keys import IssuedKey
from tests.factories.kitehub import InstanceFactory


@pytest.fixture
def school(db: None) -> Instance:
    return InstanceFactory()


@pytest.fixture
def issued(school: Instance) -> IssuedKey:
    return api_keys.issue(
        instance=school,
        name="Website",
        scopes=[ApiScope.ENTITLEMENTS_READ],
        actor="an@kitehub.test",
    )
