"""The databases that the tests of the schema share, made once a process."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import DjangoDbBlocker

from kitehub.db import catalog
from kitehub.db.catalog import Catalog
from tests.migrations import plan_sql
from tests.migrations.databases import database, execute


@pytest.fixture(autouse=True, scope="module")
def _databases_allowed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """These tests have databases of their own, which no transaction of pytest-django covers."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="session")
def reference(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[int, Catalog]:
    """The catalog at each version 0 to 8 of a database that the plan's own SQL built."""
    with django_db_blocker.unblock(), database() as built:
        found = {0: catalog.read(built)}
        for version in plan_sql.VERSIONS:
            execute(built, plan_sql.corrected(version))
            found[version] = catalog.read(built)
        return found


@pytest.fixture
def empty() -> Iterator[BaseDatabaseWrapper]:
    """A database with nothing in it."""
    with database() as made:
        yield made


@pytest.fixture(scope="session")
def migrated(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[BaseDatabaseWrapper]:
    """A database at the newest version, to be copied or read, not changed."""
    with django_db_blocker.unblock(), database() as made:
        call_command("migrate", database=made.alias, verbosity=0)
        yield made


@pytest.fixture
def current(migrated: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    """A database of the test's own, at the newest version."""
    with database(template=migrated) as made:
        yield made
