"""`schema clean` drops what migrations made, only for developers, and nobody else's things."""

import pytest
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from kitehub.db import catalog
from tests.migrations import rows
from tests.migrations.commands import built_by_flyway, schema
from tests.migrations.databases import execute, value


@pytest.fixture
def developing(settings: Settings) -> None:
    settings.DEBUG = True
    settings.DEBUG_IS_ASSUMED = False


@pytest.mark.parametrize(
    ("debug", "assumed", "arguments", "reason"),
    [
        (False, False, ["--yes"], "needs DJANGO_DEBUG=on"),
        (True, True, ["--yes"], "needs DJANGO_DEBUG=on"),
        (True, False, [], "Add --yes"),
    ],
)
def test_it_needs_debug_and_a_yes(
    debug: bool,
    assumed: bool,
    arguments: list[str],
    reason: str,
    current: BaseDatabaseWrapper,
    settings: Settings,
) -> None:
    settings.DEBUG = debug
    settings.DEBUG_IS_ASSUMED = assumed
    before = catalog.read(current)

    outcome = schema(current, "clean", *arguments)

    assert outcome.code == 4
    assert reason in outcome.error
    assert catalog.read(current) == before


@pytest.mark.usefixtures("developing")
class TestWithDebugOn:
    def test_all_that_migrations_made_goes_and_comes_back(
        self, current: BaseDatabaseWrapper
    ) -> None:
        rows.fill(current, 8)
        before = catalog.read(current)

        outcome = schema(current, "clean", "--yes")

        assert outcome.code == 0
        assert len(catalog.read(current)) == 0
        assert {f"Dropped {key}" for key in before if key.free == key} == set(
            outcome.out.splitlines()
        )
        call_command("migrate", database=current.alias, verbosity=0)
        assert catalog.read(current) == before

    def test_what_others_made_stays(self, empty: BaseDatabaseWrapper) -> None:
        built_by_flyway(empty, 3)
        execute(
            empty,
            "CREATE TABLE courses (id int); CREATE TYPE colour AS ENUM ('RED');"
            "INSERT INTO courses VALUES (7)",
        )
        assert schema(empty, "baseline").code == 0

        assert schema(empty, "clean", "--yes").code == 0

        assert {str(key) for key in catalog.read(empty) if key.free == key} == {
            "table courses",
            "table flyway_schema_history",
            "enum colour",
        }
        assert value(empty, "SELECT id FROM courses") == 7

    def test_nothing_goes_where_others_need_it(self, current: BaseDatabaseWrapper) -> None:
        execute(current, "CREATE TABLE courses (instance_id uuid REFERENCES instances (id))")
        execute(current, "CREATE VIEW open_orders AS SELECT id FROM payment_orders")
        before = catalog.read(current)

        outcome = schema(current, "clean", "--yes")

        assert outcome.code == 4
        assert "nothing was dropped" in outcome.error
        assert "view open_orders depends on table payment_orders" in outcome.out
        assert "courses_instance_id_fkey on table courses depends on table instances" in outcome.out
        assert catalog.read(current) == before

    def test_nothing_goes_that_newer_code_made(self, current: BaseDatabaseWrapper) -> None:
        MigrationRecorder(current).record_applied("kitehub", "0099_v99_of_tomorrow")

        assert "0099_v99_of_tomorrow" in schema(current, "clean", "--yes").error

    def test_an_empty_database_has_nothing_to_drop(self, empty: BaseDatabaseWrapper) -> None:
        outcome = schema(empty, "clean", "--yes", "--json")

        assert (outcome.code, outcome.json) == (0, {"dropped": []})
