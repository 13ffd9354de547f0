"""The scratch schema: the truth about migrations, without a trace in the live database."""

from collections.abc import Iterator

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from pytest_django import Settings

from kitehub.db import catalog, locks, scratch
from kitehub.db.versions import Versions
from tests.migrations.databases import database, execute, go_to, value

SCHEMAS = f"SELECT nspname FROM pg_namespace WHERE starts_with(nspname, '{scratch.PREFIX}')"


@pytest.fixture(scope="module")
def versions() -> Versions:
    return Versions(MigrationLoader(None))


@pytest.fixture
def second(empty: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    """Another session in the same database."""
    session = empty.__class__({**empty.settings_dict}, empty.alias)
    yield session
    session.close()


def test_it_holds_what_a_real_migration_makes(
    empty: BaseDatabaseWrapper, versions: Versions
) -> None:
    three, eight = scratch.catalogs(empty, versions.up_to(3), versions.up_to(8))

    assert len(catalog.read(empty)) == 0
    go_to(empty, 3)
    assert catalog.read(empty) == three
    go_to(empty, 8)
    assert catalog.read(empty) == eight


def test_answers_come_in_the_order_of_the_questions(
    empty: BaseDatabaseWrapper, versions: Versions
) -> None:
    # Neither of the last two contains the other, so they can't be stages of one schema.
    everything = versions.up_to(1)
    auth, sessions = (
        versions.needed_by([key for key in everything if key[0] == app])
        for app in ("auth", "sessions")
    )
    found = scratch.catalogs(empty, everything, auth, sessions)

    tables = [{key.table for key in each.of_kind("table")} for each in found]
    assert "instance_configs" in tables[0]
    assert "auth_group" in tables[1] - tables[2]
    assert "django_session" in tables[2] - tables[1]


def test_the_live_schema_is_neither_changed_nor_read(
    current: BaseDatabaseWrapper, versions: Versions
) -> None:
    execute(current, "DROP TABLE storage_events")
    before = catalog.read(current)

    (found,) = scratch.catalogs(current, versions.order)

    assert [str(drift) for drift in catalog.diff(found, before)] == ["missing table storage_events"]
    assert catalog.read(current) == before
    assert execute(current, SCHEMAS) == []


def test_it_is_dropped_after_an_error_and_the_live_connection_is_back(
    empty: BaseDatabaseWrapper, versions: Versions
) -> None:
    orphan = [key for key in versions.order if versions.of[key] == 2]

    with pytest.raises(Exception, match="kitehub"):
        scratch.catalogs(empty, orphan)

    assert execute(empty, SCHEMAS) == []
    assert connections[empty.alias] is empty


def test_a_killed_run_is_tidied_up_and_a_living_one_is_left_alone(
    empty: BaseDatabaseWrapper, second: BaseDatabaseWrapper
) -> None:
    dead, alive = f"{scratch.PREFIX}dead", f"{scratch.PREFIX}alive"
    assert locks.take(second, alive)
    for name in (dead, alive):
        execute(empty, f"CREATE SCHEMA {name}; CREATE TABLE {name}.t ()")

    scratch.catalogs(empty, [])

    assert execute(empty, SCHEMAS) == [(alive,)]
    second.close()
    scratch.catalogs(empty, [])
    assert execute(empty, SCHEMAS) == []


def test_a_long_transaction_does_not_hold_up_a_concurrent_index(
    second: BaseDatabaseWrapper, empty: BaseDatabaseWrapper, versions: Versions
) -> None:
    execute(second, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT txid_current()")
    empty.close()
    # What should not wait fails here if it does.
    empty.settings_dict["OPTIONS"] = {"options": "-c statement_timeout=5s"}

    (found,) = scratch.catalogs(empty, versions.order)

    assert value(second, "SELECT 1") == 1
    assert any("idx_payment_orders_transaction_reference" in key for key in found)


def test_nothing_is_run_where_a_pooler_drops_the_search_path(
    empty: BaseDatabaseWrapper, versions: Versions
) -> None:
    class Pooled(type(empty)):  # type: ignore[misc]
        def get_connection_params(self) -> dict[str, object]:
            return {**super().get_connection_params(), "options": ""}

    connections[empty.alias] = pooled = Pooled(empty.settings_dict, empty.alias)

    with pytest.raises(ImproperlyConfigured, match="not through a pooler"):
        scratch.catalogs(pooled, versions.order)

    assert len(catalog.read(pooled)) == 0
    assert execute(pooled, SCHEMAS) == []


@pytest.mark.django_db
def test_a_careless_data_migration_writes_nothing_into_the_live_database(
    settings: Settings,
) -> None:
    settings.MIGRATION_MODULES = {"sessions": "tests.migrations.careless"}
    versions = Versions(MigrationLoader(None))
    careless = versions.needed_by([("sessions", "0001_initial")])
    before = ContentType.objects.count()

    (found,) = scratch.catalogs(connections["default"], careless)

    assert "django_content_type" in {key.table for key in found}
    assert ContentType.objects.count() == before
    assert not ContentType.objects.filter(app_label="careless").exists()


def test_only_one_session_holds_a_lock(
    empty: BaseDatabaseWrapper, second: BaseDatabaseWrapper
) -> None:
    with locks.held(empty, "a name") as first_has_it:
        with locks.held(second, "a name") as second_has_it:
            assert (first_has_it, second_has_it) == (True, False)
        assert locks.take(second, "another name")
    assert locks.take(second, "a name")
    with database() as elsewhere:
        assert locks.take(elsewhere, "a name")
