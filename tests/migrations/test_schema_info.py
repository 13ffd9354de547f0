"""`schema info` shows every version, what is applied and when, and writes nothing."""

from datetime import UTC, datetime

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from kitehub.db import catalog
from tests.migrations.commands import built_by_flyway, schema
from tests.migrations.databases import execute, go_to, newest


def test_an_empty_database_is_all_pending_and_stays_empty(empty: BaseDatabaseWrapper) -> None:
    outcome = schema(empty, "info", "--json")

    assert outcome.code == 0
    assert outcome.json["current"] is None
    assert outcome.json["pending"] == [f"V{number}" for number in range(newest() + 1)]
    assert len(catalog.read(empty)) == 0


def test_versions_are_applied_partly_or_pending(empty: BaseDatabaseWrapper) -> None:
    go_to(empty, 7)
    MigrationRecorder(empty).record_applied("billing", "0003_v8_performance_indexes")

    outcome = schema(empty, "info", "--json")

    states = {row["version"]: row["state"] for row in outcome.json["versions"]}
    assert [states[f"V{number}"] for number in range(10)] == [*["applied"] * 8, "partly", "pending"]
    assert outcome.json["current"] == "V7"
    assert outcome.json["pending"][0] == "V8"
    assert "partly (1 of 4)" in schema(empty, "info").out


def test_moments_are_in_vietnamese_time(empty: BaseDatabaseWrapper) -> None:
    go_to(empty, 2)
    MigrationRecorder(empty).migration_qs.filter(app="billing").update(
        applied=datetime(2026, 1, 31, 17, 30, tzinfo=UTC)
    )

    lines = schema(empty, "info").out.splitlines()
    row = schema(empty, "info", "--json").json["versions"][2]

    assert "Applied at (Asia/Ho_Chi_Minh)" in lines[0]
    assert "V2       payment orders" in lines[4]
    assert lines[4].endswith("applied  2026-02-01 00:30:00")
    assert row["applied_at"] == "2026-02-01T00:30:00+07:00"


def test_columns_are_aligned_and_the_next_step_is_said(empty: BaseDatabaseWrapper) -> None:
    go_to(empty, 1)

    head, rule, *rows, blank, last = schema(empty, "info").out.splitlines()

    column = head.index("State")
    assert set(rule) == {"-"}
    assert blank == ""
    assert {row[column:].split()[0] for row in rows} == {"applied", "pending"}
    assert all(row[column - 1] == " " for row in rows)
    assert last.endswith("Run `manage.py migrate`.")


def test_the_newest_version_is_up_to_date(migrated: BaseDatabaseWrapper) -> None:
    outcome = schema(migrated, "info")

    assert outcome.out.splitlines()[-1] == "Up to date."
    assert schema(migrated, "info", "--json").json["current"] == f"V{newest()}"


def test_a_migration_that_the_code_lacks_is_named(current: BaseDatabaseWrapper) -> None:
    MigrationRecorder(current).record_applied("kitehub", "0099_v99_of_tomorrow")

    assert schema(current, "info", "--json").json["unknown"] == ["kitehub.0099_v99_of_tomorrow"]
    assert "not in the code: kitehub.0099_v99_of_tomorrow" in schema(current, "info").out


def test_a_flyway_database_is_recognised(empty: BaseDatabaseWrapper) -> None:
    built_by_flyway(empty, 1)

    assert "schema baseline" in schema(empty, "info").out
    assert schema(empty, "info", "--json").json["flyway_table"] == "flyway_schema_history"
    assert schema(empty, "baseline").code == 0
    assert schema(empty, "info", "--json").json["flyway_table"] is None


def test_records_that_contradict_each_other_are_an_error(empty: BaseDatabaseWrapper) -> None:
    go_to(empty, 3)
    execute(empty, "DELETE FROM django_migrations WHERE name = '0001_v2_payment_orders'")

    outcome = schema(empty, "info")

    assert outcome.code == 4
    assert "before its dependency billing.0001_v2_payment_orders" in outcome.error
