"""Two schools, of which one tries to get at the other's rows, and where both may live."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from factory.django import DjangoModelFactory

from kitehub import tenancy
from kitehub.models import Instance
from kitehub.tenancy.base import Tenant
from tests import factories
from tests.factories import analytics, billing, branding, kitehub, storage
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.tenancy.conftest import database, living_in

assert factories
TENANTS: list[Any] = [model for model in apps.get_models() if issubclass(model, Tenant)]
# A tenant's table without a factory here is one that no test tries to get at.
FACTORIES: dict[Any, Any] = {
    made._meta.model: made
    for module in (analytics, billing, branding, kitehub, storage)
    for made in vars(module).values()
    if isinstance(made, type) and issubclass(made, DjangoModelFactory) and made._meta.model
}


@dataclass(frozen=True)
class Pair:
    """A school that tries, and the one whose rows it tries to get at."""

    ours: Instance
    theirs: Instance

    def row(self, model: Any, school: Instance) -> Any:
        """A row of a school, which it is given if it has none."""
        with tenancy.use(school):
            rows = model._default_manager.filter(instance_id=school.id)
            return rows.first() or FACTORIES[model](instance_id=school.id)

    def stored(self, row: Any) -> Any:
        """A row, and how many its school has, as the database and not the ORM says."""
        with connections[tenancy.alias_of(self.theirs)].cursor() as cursor:
            table = row._meta.db_table
            cursor.execute(
                f"SELECT (SELECT to_jsonb(t) FROM {table} t WHERE id = %s),"
                f" (SELECT count(*) FROM {table} WHERE instance_id = %s)",
                [row.pk, self.theirs.pk],
            )
            return cursor.fetchone()


@pytest.fixture
def pool(db: None) -> Pair:
    """Both in the pool."""
    return Pair(InstanceFactory(), InstanceFactory())


@pytest.fixture
def silos(migrated_silo: str, transactional_db: None) -> Iterator[Pair]:
    """Each in a database of its own."""
    with database(migrated_silo) as one, database(migrated_silo) as other:
        yield Pair(_saved(one), _saved(other))


@pytest.fixture
def shared_silo(migrated_silo: str, transactional_db: None) -> Iterator[Pair]:
    """Both in one database beside the pool."""
    with database(migrated_silo) as name:
        yield Pair(_saved(name), _saved(name))


def _saved(name: str) -> Instance:
    school = living_in(name)
    school.owner.save()
    school.save()
    return school
