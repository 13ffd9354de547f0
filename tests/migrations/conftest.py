"""The databases that the tests of the schema share, made once a process."""

import os
import pickle
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import DjangoDbBlocker

from kitehub.db import catalog, scratch
from kitehub.db.catalog import Catalog
from kitehub.db.versions import MigrationKey
from kitehub.tenancy import is_silo
from tests.migrations import plan_sql
from tests.migrations.databases import database, execute


@pytest.fixture(autouse=True, scope="module")
def _databases_allowed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """These tests have databases of their own, which no transaction of pytest-django covers."""
    with django_db_blocker.unblock():
        yield


_made: dict[Any, Catalog] = {}


@pytest.fixture(autouse=True)
def _catalogs_are_made_once(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """What migrations make on a server is the same each time, and takes seconds to be seen.

    One process leaves it in a file for the others. Only test_scratch sees it made anew each time.
    """
    if request.module.__name__.endswith("test_scratch"):
        return
    make = scratch.catalogs
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent  # each process has a folder in that of the run

    def catalogs(
        connection: BaseDatabaseWrapper, *stages: Iterable[MigrationKey]
    ) -> tuple[Catalog, ...]:
        who = {name: connection.settings_dict.get(name) for name in ("USER", "OPTIONS")}
        where = (is_silo(connection.alias), str(who), str(settings.MIGRATION_MODULES))

        def file(stage: frozenset[MigrationKey]) -> Path:
            named = repr((where, sorted(stage))).encode()
            return folder / f"catalog-{blake2b(named, digest_size=16).hexdigest()}"

        wanted = [frozenset(stage) for stage in stages]
        for stage in wanted:
            if (where, stage) not in _made and file(stage).exists():
                _made[where, stage] = pickle.loads(file(stage).read_bytes())  # noqa: S301
        lacking = [stage for stage in dict.fromkeys(wanted) if (where, stage) not in _made]
        if lacking:
            for stage, found in zip(lacking, make(connection, *lacking), strict=True):
                _made[where, stage] = found
                half = folder / f"{file(stage).name}-{os.getpid()}"
                half.write_bytes(pickle.dumps(found))
                half.rename(file(stage))
        return tuple(_made[where, stage] for stage in wanted)

    monkeypatch.setattr(scratch, "catalogs", catalogs)


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
