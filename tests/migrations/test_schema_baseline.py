"""`schema baseline` takes over what Flyway built, exactly and without touching a row, or not."""

import pytest
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db import catalog
from kitehub.management.schema import live as records
from kitehub.management.schema.info import info
from tests.migrations import plan_sql, rows
from tests.migrations.commands import Outcome, built_by_flyway, flyway_history, schema
from tests.migrations.databases import execute


def refused(live: BaseDatabaseWrapper, *arguments: str, code: int = 4) -> Outcome:
    """Runs a baseline that must be refused, and sees to it that it changed nothing."""
    before = catalog.read(live)
    outcome = schema(live, "baseline", *arguments)
    assert outcome.code == code, outcome
    assert catalog.read(live) == before
    assert not records.read(live).planned
    return outcome


@pytest.mark.parametrize("version", [3, 6, 8])
def test_a_flyway_database_is_taken_over_without_touching_a_row_and_goes_on(
    version: int, empty: BaseDatabaseWrapper
) -> None:
    built_by_flyway(empty, version)
    # What others made is no hindrance.
    execute(empty, "CREATE TABLE courses (id int); CREATE FUNCTION f() RETURNS int RETURN 1")
    history = execute(empty, "SELECT xmin::text, h::text FROM flyway_schema_history h")
    before = rows.snapshot(empty, version)

    outcome = schema(empty, "baseline")

    assert outcome.code == 0, outcome
    assert f"exactly what V{version} makes" in outcome.out
    assert all(before.values())
    assert rows.snapshot(empty, version) == before
    assert info(records.read(empty)).current == f"V{version}"

    call_command("migrate", database=empty.alias, verbosity=0)

    assert schema(empty, "validate").code == 0
    assert not info(records.read(empty)).pending
    # V10 adds what it found to the history, and a usage row to each config; nothing is lost.
    counts = {table: len(found) for table, found in rows.snapshot(empty, version).items()}
    added = {"subscription_history", "storage_usage"}
    for table, found in before.items():
        assert counts[table] == len(found) or (table in added and counts[table] > len(found))
    assert history == execute(empty, "SELECT xmin::text, h::text FROM flyway_schema_history h")


def test_without_a_history_the_version_is_named(empty: BaseDatabaseWrapper) -> None:
    plan_sql.build(empty, 6)
    rows.fill(empty, 6)
    before = rows.snapshot(empty, 6)

    unnamed = refused(empty)
    named = schema(empty, "baseline", "--at", "V6", "--json")

    assert "--at" in unnamed.error
    assert named.code == 0
    assert (named.json["version"], named.json["flyway_table"]) == ("V6", None)
    assert named.json["run"][-1] == "kitehub.0001_users"
    assert named.json["recorded"][-1] == "billing.0002_v6_subscriptions"
    assert rows.snapshot(empty, 6) == before


def test_a_dry_run_checks_and_changes_nothing(empty: BaseDatabaseWrapper) -> None:
    built_by_flyway(empty, 3)
    before = catalog.read(empty)

    outcome = schema(empty, "baseline", "--dry-run")

    assert outcome.code == 0
    assert "Would be recorded" in outcome.out
    assert catalog.read(empty) == before


def test_people_and_djangos_tables_may_be_there_already(empty: BaseDatabaseWrapper) -> None:
    call_command("migrate", "kitehub", "0001", database=empty.alias, verbosity=0)
    built_by_flyway(empty, 3)

    outcome = schema(empty, "baseline", "--json")

    assert outcome.code == 0, outcome
    assert outcome.json["run"] == []
    assert schema(empty, "validate").code == 0


DRIFTS = {
    "DROP INDEX idx_instances_owner": "missing index idx_instances_owner on instances",
    "ALTER TABLE instances ADD note text": "extra column instances.note",
    "DROP TRIGGER update_instances_updated_at ON instances": (
        "missing trigger update_instances_updated_at on instances"
    ),
    "COMMENT ON TABLE instance_configs IS NULL": "comment of table instance_configs lost",
    "ALTER TYPE payment_type ADD VALUE 'GIFT'": (
        "enum payment_type differs: "
        "labels is 'SUBSCRIPTION', 'ENROLLMENT', 'GIFT', not 'SUBSCRIPTION', 'ENROLLMENT'"
    ),
    "CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NEW; END'": "function update_updated_at_column() differs: body",
    "CREATE TABLE guest_sessions (id uuid)": "extra table guest_sessions",
    "CREATE TABLE auth_group (id int)": "extra table auth_group",
    "DROP TABLE payment_orders": "missing table payment_orders",
}


def test_a_schema_that_is_not_what_is_claimed_is_refused_with_every_difference(
    empty: BaseDatabaseWrapper,
) -> None:
    built_by_flyway(empty, 3)
    for drift in DRIFTS:
        execute(empty, drift)

    outcome = refused(empty)

    assert outcome.error == "The schema is not what V3 makes: 9 differences."
    assert sorted(line.strip() for line in outcome.out.splitlines()) == sorted(DRIFTS.values())


@pytest.mark.parametrize(
    ("claimed", "line"), [(2, "extra table instances"), (4, "missing table guest_events")]
)
def test_a_history_that_claims_another_version_is_refused(
    claimed: int, line: str, empty: BaseDatabaseWrapper
) -> None:
    plan_sql.build(empty, 3)
    flyway_history(empty, range(1, claimed + 1))

    assert line in refused(empty).out


def test_a_history_in_disorder_is_refused_with_its_rows(empty: BaseDatabaseWrapper) -> None:
    built_by_flyway(empty, 3)
    execute(empty, "UPDATE flyway_schema_history SET success = false WHERE version = '3'")

    outcome = refused(empty, "--json")

    assert "history can't be taken over" in outcome.json["error"]
    assert outcome.json["details"] == [
        "row 3 (V3, V3__step.sql) failed; run `flyway repair` and mend what it left"
    ]


def test_the_history_may_have_another_name(empty: BaseDatabaseWrapper) -> None:
    plan_sql.build(empty, 1)
    flyway_history(empty, [1], table="our_history")

    assert "There is no table nowhere" in refused(empty, "--table", "nowhere").error
    assert (
        "it has no column description, installed_rank"
        in refused(empty, "--table", "instance_configs").error
    )
    assert schema(empty, "baseline", "--table", "our_history").code == 0


def test_flyways_older_table_is_found_too(empty: BaseDatabaseWrapper) -> None:
    plan_sql.build(empty, 1)
    flyway_history(empty, [1], table="schema_version")

    assert schema(empty, "baseline", "--json").json["flyway_table"] == "schema_version"


def test_a_version_that_the_plan_has_not_or_the_history_denies_is_refused(
    empty: BaseDatabaseWrapper,
) -> None:
    built_by_flyway(empty, 3)

    assert "V1 to V8" in refused(empty, "--at", "V9", code=2).error
    assert "no version V77" in refused(empty, "--at", "V77", code=2).error
    assert "says V3; leave out --at" in refused(empty, "--at", "V2").error


def test_it_is_done_once(empty: BaseDatabaseWrapper) -> None:
    built_by_flyway(empty, 1)
    assert schema(empty, "baseline").code == 0
    before = catalog.read(empty)

    again = schema(empty, "baseline")

    assert (again.code, catalog.read(empty)) == (4, before)
    assert "recorded in this database already, up to V1" in again.error


@pytest.mark.parametrize(
    ("index", "code"),
    [
        # One of Django's names, so that its migration fails …
        ("django_content_type_app_label_model_76bd3d3b_uniq", 1),
        # … and one of PostgreSQL's, which silently takes another name then.
        ("auth_group_pkey", 4),
    ],
)
def test_a_failure_on_the_way_leaves_nothing_half_done(
    index: str, code: int, empty: BaseDatabaseWrapper
) -> None:
    built_by_flyway(empty, 1)
    execute(empty, f"CREATE TABLE courses (id int); CREATE INDEX {index} ON courses (id)")

    outcome = refused(empty, code=code)

    assert index in outcome.error + outcome.out
    assert "\n" not in outcome.error
