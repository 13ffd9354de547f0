"""`schema to` goes to any version, says first what that costs, and never goes unasked."""

import re

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission
from django.db import ProgrammingError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from kitehub.db import catalog
from kitehub.management.schema import live as records
from kitehub.management.schema.info import info
from tests.migrations import rows
from tests.migrations.commands import built_by_flyway, schema
from tests.migrations.databases import execute, newest, value


def at(live: BaseDatabaseWrapper) -> str | None:
    """The version that a database is at."""
    return info(records.read(live)).current


def test_forward_from_nothing_and_back_to_v0(empty: BaseDatabaseWrapper) -> None:
    assert schema(empty, "to", "V3", "--yes").out.splitlines()[-1] == "At V3."
    assert at(empty) == "V3"
    rows.fill(empty, 3)
    execute(
        empty,
        "INSERT INTO kitehub_users (email, password, full_name, is_superuser, is_staff,"
        " is_active) VALUES ('a@b.vn', '', '', false, false, true)",
    )

    assert schema(empty, "to", "V0", "--yes").code == 0

    tables = {key.table for key in catalog.read(empty).of_kind("table")}
    assert at(empty) == "V0"
    assert tables.isdisjoint(rows.tables(8))
    assert {"kitehub_users", "auth_group", "django_session"} <= tables
    assert value(empty, "SELECT count(*) FROM kitehub_users") == 1
    assert schema(empty, "validate").code == 0


@pytest.mark.parametrize("spelling", ["latest", "LATEST", "the number"])
def test_latest_is_the_newest_version(spelling: str, migrated: BaseDatabaseWrapper) -> None:
    word = str(newest()) if spelling == "the number" else spelling

    outcome = schema(migrated, "to", word)

    assert outcome.code == 0
    assert outcome.out == f"At V{newest()}.\n"


def test_what_will_be_dropped_is_said_with_its_rows(current: BaseDatabaseWrapper) -> None:
    rows.fill(current, 8)
    execute(current, "CREATE TABLE courses (id int)")

    outcome = schema(current, "to", "V5")

    head, *lines = outcome.out.splitlines()
    dropped = {" ".join(line.split()) for line in lines[: lines.index("Will be changed:")]}
    assert head == "Will be dropped:"
    assert {
        "enum subscription_status",
        "function log_subscription_change()",
        "function update_storage_usage()",
        "index idx_instances_active on instances",
        "table subscriptions 1 row",
        "table storage_events 2 rows",
        "column payment_orders.memo 0 values",
        "type uuidrange",
    } <= dropped
    assert "courses" not in outcome.out
    gone = tuple(f"column {line.split()[1]}." for line in dropped if line.startswith("table "))
    assert not [line for line in dropped if line.startswith(gone)]
    assert not [line for line in dropped if line.startswith("function uuid")]
    assert (
        "  column instances.created_at: "
        "type timestamp with time zone -> timestamp without time zone"
    ) in lines


def test_nothing_is_done_without_a_yes(current: BaseDatabaseWrapper) -> None:
    before = catalog.read(current)

    outcome = schema(current, "to", "V5")

    assert outcome.code == 4
    assert "add --yes" in outcome.error
    assert (catalog.read(current), at(current)) == (before, f"V{newest()}")


def test_programs_get_the_whole_move(current: BaseDatabaseWrapper) -> None:
    rows.fill(current, 8)

    move = schema(current, "to", "V6", "--yes", "--json").json

    assert move["target"] == "V6"
    assert move["undone"][-1] == "storage.0001_v7_storage_tracking"
    assert move["run"] == []
    assert {"kind": "table", "table": "storage_events", "name": "", "rows": 2} in move["dropped"]
    assert at(current) == "V6"


@pytest.mark.parametrize("word", ["V99", "V1.5", "five", "-1", ""])
def test_a_version_that_is_none_is_a_usage_error(word: str, migrated: BaseDatabaseWrapper) -> None:
    outcome = schema(migrated, "to", word)

    assert outcome.code == 2
    assert f"There are V0 to V{newest()}, and latest." in outcome.error


def test_a_step_that_fails_is_rolled_back_and_those_before_it_stay(
    current: BaseDatabaseWrapper,
) -> None:
    execute(
        current,
        "CREATE TABLE uploads (id int); CREATE TRIGGER count_them AFTER INSERT ON uploads"
        " FOR EACH ROW EXECUTE FUNCTION update_storage_usage()",
    )

    outcome = schema(current, "to", "V3", "--yes")

    assert outcome.code == 1
    assert outcome.error == (
        "storage.0001_v7_storage_tracking failed and was rolled back: cannot drop function"
        " update_storage_usage() because other objects depend on it."
        " Complete in the database: V0, V1, V2, V3, V4, V5, V6, V7."
    )
    assert at(current) == "V7"
    assert schema(current, "validate").code == 0


def test_what_no_key_opens_is_found_before_anything_is_undone(
    current: BaseDatabaseWrapper,
) -> None:
    rows.fill(current, 8)
    lost = Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    key = value(current, "SELECT id FROM instances LIMIT 1")
    execute(current, f"UPDATE instances SET database_password = '{lost}' WHERE id = '{key}'")

    outcome = schema(current, "to", "V8", "--yes")

    assert (outcome.code, at(current)) == (4, f"V{newest()}")
    assert outcome.error.startswith("Nothing was done: on the way back these are decrypted")
    assert outcome.out == f"  instances.database_password of {key}\n"
    execute(current, "UPDATE instances SET database_password = ''")
    assert schema(current, "to", "V8", "--yes").code == 0


def test_what_others_made_of_it_is_named_before_it_goes_too(
    current: BaseDatabaseWrapper,
) -> None:
    execute(
        current,
        """
        CREATE VIEW visits AS SELECT id, instance_id FROM guest_events;
        CREATE VIEW busiest AS SELECT instance_id FROM visits GROUP BY 1;
        CREATE VIEW schools AS SELECT id FROM instances;
        CREATE TABLE remarks (event_id uuid REFERENCES guest_events (id));
        CREATE FUNCTION first_event() RETURNS guest_events LANGUAGE plpgsql AS 'BEGIN END';
        """,
    )

    outcome = schema(current, "to", "V3", "--yes", "--json")

    left = {str(key) for key in catalog.read(current)}
    assert outcome.code == 0
    named = {(key["kind"], key["table"] or key["name"]) for key in outcome.json["taken_along"]}
    assert named == {
        ("view", "visits"),
        ("view", "busiest"),
        ("constraint", "remarks"),
        ("function", "first_event()"),
    }
    assert {"view schools", "table remarks"} <= left
    assert left.isdisjoint({"view visits", "view busiest", "function first_event()"})


def test_a_database_of_newer_code_is_not_moved(current: BaseDatabaseWrapper) -> None:
    MigrationRecorder(current).record_applied("kitehub", "0099_v99_of_tomorrow")

    outcome = schema(current, "to", "V5", "--yes")

    assert outcome.code == 4
    assert "kitehub.0099_v99_of_tomorrow" in outcome.error


def test_a_flyway_database_must_be_taken_over_first(empty: BaseDatabaseWrapper) -> None:
    built_by_flyway(empty, 3)

    assert "schema baseline" in schema(empty, "to", "latest", "--yes").error
    assert schema(empty, "baseline").code == 0
    assert schema(empty, "to", "latest", "--yes").code == 0
    assert value(empty, "SELECT count(*) FROM instances") == 2


def test_two_commands_do_not_work_on_one_database(current: BaseDatabaseWrapper) -> None:
    other = type(current)({**current.settings_dict}, current.alias)
    with records.alone(other):
        outcome = schema(current, "to", "V5", "--yes")
    other.close()

    assert outcome.code == 4
    assert "Another schema command" in outcome.error
    assert at(current) == f"V{newest()}"


def test_it_does_not_queue_behind_a_long_transaction(current: BaseDatabaseWrapper) -> None:
    other = type(current)({**current.settings_dict}, current.alias)
    execute(other, "BEGIN; SELECT count(*) FROM storage_events")

    outcome = schema(current, "to", "V6", "--yes", "--lock-timeout", "50ms")
    other.close()

    assert outcome.code == 1
    assert re.match(r"storage\.\w+ failed: ", outcome.error)
    assert "lock timeout" in outcome.error
    assert value(current, "SHOW lock_timeout") == "0"


def test_permissions_are_made_as_migrate_makes_them(empty: BaseDatabaseWrapper) -> None:
    assert schema(empty, "to", "V2", "--yes").code == 0
    at_two = set(Permission.objects.using(empty.alias).values_list("codename", flat=True))
    assert schema(empty, "to", "latest", "--yes").code == 0
    at_last = set(Permission.objects.using(empty.alias).values_list("codename", flat=True))

    assert "view_paymentorder" in at_two
    assert "view_subscription" in at_last - at_two


def test_a_broken_table_is_named_when_its_rows_are_counted(current: BaseDatabaseWrapper) -> None:
    execute(current, "DROP TABLE storage_events")

    outcome = schema(current, "to", "V6", "--yes")

    assert outcome.code == 1
    assert 'relation "storage_events" does not exist' in outcome.error
    with pytest.raises(ProgrammingError):
        execute(connections[current.alias], "SELECT FROM storage_events")
