"""`manage.py migrate` looks before it starts, and comes one at a time."""

import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db import catalog, locks
from kitehub.management.schema import live as records
from tests.migrations import plan_sql, rows
from tests.migrations.commands import ROOT, built_by_flyway, manage, schema
from tests.migrations.databases import execute, newest, url, value

# All of these name a column that V9 changes.
OBSTACLES = {
    "view report uses column payment_orders.created_at": (
        "CREATE VIEW report AS SELECT date(created_at), sum(amount) FROM payment_orders GROUP BY 1"
    ),
    "view stored uses column guest_events.timestamp": (
        "CREATE MATERIALIZED VIEW stored AS SELECT max(timestamp) FROM guest_events"
    ),
    "trigger audit on instances uses column instances.trial_expires_at": (
        "CREATE TRIGGER audit BEFORE UPDATE OF trial_expires_at ON instances"
        " FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()"
    ),
    "policy recent on branding_jobs uses column branding_jobs.created_at": (
        "CREATE POLICY recent ON branding_jobs USING (created_at > '2026-01-01')"
    ),
    "column subscriptions.span uses column subscriptions.current_period_end": (
        "ALTER TABLE subscriptions ADD span interval GENERATED ALWAYS AS"
        " (current_period_end - current_period_start) STORED"
    ),
}


def start(live: BaseDatabaseWrapper) -> subprocess.Popen[str]:
    """Another process that migrates the database."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url(live), "DJANGO_DEBUG": "on"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("upto", [3, 8])
def test_flyways_database_is_refused_as_it_is(empty: BaseDatabaseWrapper, upto: int) -> None:
    built_by_flyway(empty, upto)
    before = catalog.read(empty)

    outcome = manage(empty, "migrate")

    assert (outcome.code, "schema baseline" in outcome.error) == (4, True)
    assert outcome.error.count("\n") == 1
    assert catalog.read(empty) == before


def test_flyways_database_goes_on_once_it_is_taken_over(empty: BaseDatabaseWrapper) -> None:
    built_by_flyway(empty, 6)
    assert schema(empty, "baseline").code == 0

    assert manage(empty, "migrate").code == 0

    assert schema(empty, "info", "--json").json["current"] == f"V{newest()}"


def test_plans_tables_without_flyways_history_are_refused_by_name(
    empty: BaseDatabaseWrapper,
) -> None:
    plan_sql.build(empty, 2)
    before = catalog.read(empty)

    outcome = manage(empty, "migrate")

    assert outcome.code == 4
    assert outcome.out.splitlines() == ["  table instance_configs", "  table payment_orders"]
    assert catalog.read(empty) == before


FUNCTION = "CREATE FUNCTION {name} RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        (FUNCTION.format(name="update_updated_at_column()"), "function update_updated_at_column"),
        (FUNCTION.format(name="keep_record()"), "function keep_record"),
        ("CREATE TYPE payment_status AS ENUM ('a')", "type payment_status"),
    ],
)
@pytest.mark.parametrize("command", [["migrate"], ["schema", "to", "latest", "--yes"]])
def test_other_peoples_function_or_type_of_our_name_is_left_alone(
    sql: str, line: str, command: list[str], empty: BaseDatabaseWrapper
) -> None:
    execute(empty, sql)
    before = catalog.read(empty)

    outcome = manage(empty, *command)

    assert (outcome.code, outcome.out.splitlines()) == (4, [f"  {line}"])
    assert outcome.error.count("\n") == 1
    assert catalog.read(empty) == before


def test_function_of_our_name_with_other_arguments_is_in_nobodys_way(
    empty: BaseDatabaseWrapper,
) -> None:
    execute(empty, "CREATE FUNCTION keep_record(int) RETURNS int LANGUAGE sql AS 'SELECT 1'")

    assert manage(empty, "migrate").code == 0


def test_tables_of_another_role_are_named_with_what_to_run(empty: BaseDatabaseWrapper) -> None:
    built_by_flyway(empty, 6)
    role = f"migrator_{os.getpid()}"
    execute(empty, f"CREATE ROLE {role}; GRANT ALL ON SCHEMA public TO {role}")
    try:
        assert schema(empty, "baseline").code == 0
        execute(empty, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
        before = catalog.read(empty)
        address = {"DATABASE_URL": f"{url(empty)}?assume_role={role}"}

        outcome = manage(empty, "migrate", **address)

        assert outcome.code == 4
        assert f"  ALTER TABLE payment_orders OWNER TO {role};" in outcome.out.splitlines()
        assert catalog.read(empty) == before
        for line in outcome.out.splitlines():
            execute(empty, line)
        again = manage(empty, "migrate", **address)
        assert "other roles" not in again.error
    finally:
        execute(empty, f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def test_role_that_is_not_there_is_one_line(empty: BaseDatabaseWrapper) -> None:
    address = f"{url(empty)}?assume_role=nobody_here"

    outcome = manage(empty, "migrate", DATABASE_URL=address)

    assert (outcome.code, outcome.error.count("\n")) == (1, 1)
    assert 'has no role "nobody_here". Correct assume_role' in outcome.error


def test_first_migration_alone_needs_only_its_own_tables_free(empty: BaseDatabaseWrapper) -> None:
    plan_sql.build(empty, 2)

    assert manage(empty, "migrate", "kitehub", "0001").code == 0

    assert value(empty, "SELECT count(*) FROM kitehub_users") == 0


@pytest.mark.parametrize("line", OBSTACLES)
def test_what_keeps_a_column_from_its_zone_is_named_and_nothing_is_done(
    line: str, empty: BaseDatabaseWrapper
) -> None:
    schema(empty, "to", "V8", "--yes")
    rows.fill(empty, 8)
    execute(empty, OBSTACLES[line])
    before = catalog.read(empty)

    outcome = manage(empty, "migrate")
    moved = schema(empty, "to", "V9", "--yes")

    assert outcome.code == moved.code == 4
    assert f"  {line}" in outcome.out.splitlines()
    assert f"  {line}" in moved.out.splitlines()
    assert catalog.read(empty) == before
    assert {records.read(empty).versions.of[key] for key in records.read(empty).recorded} == set(
        range(9)
    )


def test_way_back_over_v9_is_refused_while_a_view_needs_the_columns(
    current: BaseDatabaseWrapper,
) -> None:
    execute(current, "CREATE VIEW report AS SELECT created_at FROM payment_orders")
    before = catalog.read(current)

    outcome = schema(current, "to", "V8", "--yes")

    assert outcome.code == 4
    assert "  view report uses column payment_orders.created_at" in outcome.out.splitlines()
    assert catalog.read(current) == before
    execute(current, "DROP VIEW report")
    assert schema(current, "to", "V8", "--yes").code == 0


def test_two_at_once_take_turns(empty: BaseDatabaseWrapper) -> None:
    started = [start(empty) for _ in range(3)]

    ended = [(process.communicate(timeout=300), process.returncode) for process in started]

    assert [(errors, code) for (_, errors), code in ended] == [("", 0)] * 3
    assert sum("Applying kitehub.0001_users... OK" in said for (said, _), _ in ended) == 1
    assert schema(empty, "validate").code == 0


def test_waiting_is_said_and_ends_with_the_other(migrated: BaseDatabaseWrapper) -> None:
    with locks.held(migrated, locks.SCHEMA) as free:
        assert free
        waiting = start(migrated)
        assert waiting.stdout
        said = waiting.stdout.readline()
        assert said == "Another command is changing this database's schema; waiting for it.\n"
        assert waiting.poll() is None

    rest, errors = waiting.communicate(timeout=60)
    assert (waiting.returncode, errors) == (0, "")
    assert "No migrations to apply." in rest


@pytest.mark.parametrize("command", [["migrate"], ["schema", "to", "latest"]])
@pytest.mark.parametrize("limit", ["bogus", "-1s", "5 weeks", "99999999999", "25d", ""])
def test_unreadable_lock_timeout_is_an_error_of_usage(
    migrated: BaseDatabaseWrapper, command: list[str], limit: str
) -> None:
    with pytest.raises(CommandError, match="no time that PostgreSQL knows"):
        call_command(*command, f"--lock-timeout={limit}", "--database", migrated.alias)


@pytest.mark.parametrize("limit", ["0", "1500", "250 ms", "2min", "24d"])
def test_lock_timeout_is_written_as_postgresql_does(
    migrated: BaseDatabaseWrapper, limit: str
) -> None:
    call_command("migrate", f"--lock-timeout={limit}", "--database", migrated.alias, verbosity=0)


@pytest.mark.parametrize(
    ("debug", "keys", "warned"),
    [
        ("", "", True),
        ("on", "", False),
        ("", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", False),
    ],
)
def test_development_key_on_a_database_that_may_be_real_is_warned_of(
    migrated: BaseDatabaseWrapper, debug: str, keys: str, warned: bool
) -> None:
    outcome = manage(migrated, "migrate", DJANGO_DEBUG=debug, KITEHUB_FIELD_KEYS=keys)

    assert (outcome.code, outcome.error) == (0, "")
    assert ("encrypted with the development key" in outcome.out) is warned
