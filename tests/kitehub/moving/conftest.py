"""Schools that are moved and suspended."""

from collections.abc import Iterator

import pytest

from kitehub.tenancy import provisioning
from tests.kitehub.moving.schools import moved_school
from tests.kitehub.tenancy.conftest import neighbour, pooled

__all__ = ["moved_school", "neighbour", "pooled"]


@pytest.fixture(scope="session", autouse=True)
def _no_template_left(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    yield
    with django_db_blocker.unblock(), provisioning.administration() as admin:
        provisioning.drop_templates(admin)
