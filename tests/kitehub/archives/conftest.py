"""Schools to archive, and silos to bring them back into."""

from collections.abc import Iterator

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from kitehub import tenancy
from kitehub.models import Instance
from kitehub.tenancy import provisioning
from kitehub.tenancy.connections import close_all
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.archives.schools import full


@pytest.fixture
def school(transactional_db: None) -> Instance:
    """A school in the pool with rows in every table, and a neighbour with as many."""
    full(InstanceFactory())
    return full(
        InstanceFactory(custom_domain="hoc.vn", database_username="u", database_password="bí mật")
    )


@pytest.fixture(scope="session")
def template(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Drops the template of silos once all are done with it."""
    yield
    with django_db_blocker.unblock(), provisioning.administration() as admin:
        provisioning.drop_templates(admin)


@pytest.fixture
def silos(template: None, transactional_db: None) -> Iterator[None]:
    """Drops the silos that a test has made."""
    yield
    close_all()
    with provisioning.administration() as admin:
        for row in Instance.all_objects.filter(database_username__startswith="kitehub_"):
            name = tenancy.database_of(row)
            connections[tenancy.alias_of(row)].close()
            provisioning.drop(admin, name, row.database_username)
