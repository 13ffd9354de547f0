"""`schema validate` names each difference from what the applied migrations make, and only those."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from kitehub.db import catalog
from tests.migrations.commands import built_by_flyway, schema
from tests.migrations.databases import execute, go_to

OF_OTHERS = """
    CREATE TABLE courses (id int PRIMARY KEY, instance_id uuid REFERENCES instances (id));
    CREATE TYPE colour AS ENUM ('RED');
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE VIEW open_orders AS SELECT * FROM payment_orders WHERE status = 'PENDING';
    CREATE SEQUENCE counter;
"""
DRIFT = {
    "DROP INDEX idx_payment_orders_user": "missing index idx_payment_orders_user on payment_orders",
    "ALTER TABLE instances ADD note text": "extra column instances.note",
    "COMMENT ON COLUMN payment_orders.amount IS NULL": (
        "comment of column payment_orders.amount lost"
    ),
    "CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NEW; END'": "function update_updated_at_column() differs: body",
    "ALTER TABLE storage_events DISABLE TRIGGER track_storage_changes": (
        "trigger track_storage_changes on storage_events differs: state is disabled, not enabled"
    ),
    "CREATE INDEX of_a_dba ON guest_events (course_name)": ("extra index of_a_dba on guest_events"),
    "ALTER TABLE auth_group ALTER name TYPE text": (
        "column auth_group.name differs: type is text, not character varying(150)"
    ),
    "ALTER TABLE branding_jobs DROP CONSTRAINT branding_jobs_job_id_key": (
        "missing constraint branding_jobs_job_id_key on branding_jobs"
    ),
}


def test_what_migrations_made_is_clean(migrated: BaseDatabaseWrapper) -> None:
    outcome = schema(migrated, "validate", "--json")

    assert outcome.code == 0
    assert outcome.json["clean"] is True
    assert outcome.json["compared"] > 300
    assert schema(migrated, "validate").out.startswith("No differences in ")


@pytest.mark.parametrize("version", [0, 5])
def test_an_older_version_is_compared_with_itself(version: int, empty: BaseDatabaseWrapper) -> None:
    go_to(empty, version)

    assert schema(empty, "validate").code == 0


def test_each_drift_is_a_line(current: BaseDatabaseWrapper) -> None:
    for change in DRIFT:
        execute(current, change)

    outcome = schema(current, "validate")

    assert outcome.code == 3
    assert sorted(outcome.out.splitlines()) == sorted(DRIFT.values())
    assert outcome.error == "8 differences from what the applied migrations make."


def test_programs_get_both_sides_in_full(current: BaseDatabaseWrapper) -> None:
    execute(current, next(sql for sql in DRIFT if "update_updated_at_column" in sql))

    (difference,) = schema(current, "validate", "--json").json["differences"]

    assert difference["change"] == "differs"
    assert (difference["kind"], difference["name"]) == ("function", "update_updated_at_column()")
    (body,) = difference["aspects"]
    assert body["actual"] == "BEGIN RETURN NEW; END"
    assert "NEW.updated_at = NOW();" in body["expected"]


def test_what_others_made_is_theirs(current: BaseDatabaseWrapper) -> None:
    execute(current, OF_OTHERS)

    assert schema(current, "validate").code == 0


def test_what_a_pending_migration_will_make_may_not_be_there_yet(
    empty: BaseDatabaseWrapper,
) -> None:
    go_to(empty, 5)
    execute(empty, "CREATE TYPE subscription_status AS ENUM ('TRIAL')")
    execute(empty, "CREATE TABLE storage_usage (id int)")

    outcome = schema(empty, "validate")

    assert outcome.code == 3
    assert outcome.out.splitlines() == [
        "extra enum subscription_status",
        "extra table storage_usage",
    ]


def test_a_recorded_migration_that_the_code_lacks_is_a_difference(
    current: BaseDatabaseWrapper,
) -> None:
    MigrationRecorder(current).record_applied("kitehub", "0099_v99_of_tomorrow")

    outcome = schema(current, "validate")

    assert outcome.code == 3
    assert "kitehub.0099_v99_of_tomorrow is recorded, but not in the code" in outcome.out


def test_an_empty_database_is_what_no_migration_makes(empty: BaseDatabaseWrapper) -> None:
    assert schema(empty, "validate").code == 0
    assert len(catalog.read(empty)) == 0


def test_a_flyway_database_must_be_taken_over_first(empty: BaseDatabaseWrapper) -> None:
    built_by_flyway(empty, 1)

    outcome = schema(empty, "validate")

    assert outcome.code == 4
    assert "schema baseline" in outcome.error


@pytest.fixture
def reader(current: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    """The same database for a role that may read it and no more."""
    role = f"reader_of_{current.alias}"
    execute(current, f"CREATE ROLE {role}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    current.close()
    current.settings_dict["OPTIONS"] = {"assume_role": role}
    yield current
    current.close()
    current.settings_dict["OPTIONS"] = {}
    execute(connections[current.alias], f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_without_the_right_to_make_a_schema_it_says_what_to_grant(
    reader: BaseDatabaseWrapper,
) -> None:
    outcome = schema(reader, "validate")

    assert outcome.code == 1
    assert "permission denied for database" in outcome.error
    assert "GRANT" in outcome.error
    assert "\n" not in outcome.error
