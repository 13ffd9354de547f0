"""Loading the demo: the same rows every time, all of them or none, and nobody else's touched."""

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction

from kitehub.db import locks
from kitehub.demo import DemoCounts, DemoRefused, load
from kitehub.demo.people import staff
from kitehub.demo.schools import SCHOOLS
from kitehub.models import Instance, InstanceWatch, User
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.kitehub.demo.conftest import AT, TABLES

# Whose ids are the database's own, since triggers write them.
BY_TRIGGERS = {"subscription_history", "credit_balances", "figure_entries"}


def contents() -> dict[str, tuple[str, int]]:
    """Each table's rows as one hash and a number; without the ids that the triggers' rows get."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            row = "to_jsonb(t) - 'id'" if table in BY_TRIGGERS else "to_jsonb(t)"
            cursor.execute(
                f"SELECT md5(string_agg(({row})::text, ';' ORDER BY ({row})::text)), count(*) "
                f"FROM {table} t"
            )
            found[table] = cursor.fetchone()
    return found


def rows_left() -> dict[str, int]:
    return {table: count for table, (_, count) in contents().items() if count}


def test_beside_other_data_the_same_moment_and_seed_make_the_same_rows(db: None) -> None:
    stranger = InstanceFactory()
    before = contents()
    outcomes: list[tuple[DemoCounts, dict[str, tuple[str, int]]]] = []
    for _ in range(2):
        with transaction.atomic():
            outcomes.append((load(at=AT, force=True), contents()))
            assert Instance.objects.get(pk=stranger.pk).organization_name == str(stranger)
            transaction.set_rollback(True)
    counts, rows = outcomes[0]
    assert counts == outcomes[1][0]
    assert [table for table in TABLES if rows[table] != outcomes[1][1][table]] == []
    watched = InstanceWatch._meta.db_table  # The command looks, once everything is there.
    assert [table for table in TABLES if rows[table] == before[table]] == [watched]
    # Figures count what the other tables hold.
    added = [rows[table][1] - before[table][1] for table in TABLES if table != "figure_entries"]
    assert counts.total == sum(added)
    assert counts.events == 50_000


@pytest.mark.parametrize("deleted", [False, True])
def test_a_database_with_other_data_is_left_alone(db: None, deleted: bool) -> None:
    InstanceFactory(deleted=deleted)
    before = contents()
    with pytest.raises(CommandError, match=r"other data \(instances\).* --force\.$"):
        call_command("demo")
    assert contents() == before


def test_names_that_belong_to_others_are_named(db: None) -> None:
    InstanceFactory(subdomain=SCHOOLS[3].subdomain)
    UserFactory(email="thu.ha@kitehub.test")
    before = contents()
    with pytest.raises(DemoRefused, match=rf"{SCHOOLS[3].subdomain}, thu\.ha@kitehub\.test"):
        load(at=AT, force=True)
    assert contents() == before


def test_people_are_no_other_data_and_those_of_an_earlier_demo_are_kept(db: None) -> None:
    UserFactory()
    User.objects.bulk_create(staff(at=AT))

    def stop(line: str) -> None:
        raise InterruptedError(line)

    with pytest.raises(InterruptedError, match=r"Users +39"):
        load(at=AT, report=stop)


def test_an_error_half_way_leaves_nothing(db: None) -> None:
    def fail_late(line: str) -> None:
        if line.startswith("Branding jobs"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        load(at=AT, report=fail_late)
    assert rows_left() == {}
    # The connection is as it was: the moved clock went with the transaction.
    with connection.cursor() as cursor:
        cursor.execute("SELECT now() = pg_catalog.now(), current_setting('search_path')")
        same, path = cursor.fetchone()
    assert same
    assert "pg_catalog" not in path


@pytest.mark.django_db(transaction=True)
def test_killed_half_way_it_leaves_nothing() -> None:
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    killer = connection.copy()

    def kill_late(line: str) -> None:
        if line.startswith("Guest sessions"):
            with killer.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

    try:
        with pytest.raises((OperationalError, psycopg.OperationalError)):
            load(at=AT, report=kill_late)
    finally:
        killer.close()
        connection.close()
    assert rows_left() == {}


def test_two_at_once_are_one_and_a_refusal(db: None) -> None:
    other = connection.copy()
    try:
        assert locks.take(other, "demo")
        with pytest.raises(CommandError, match="being loaded already"):
            call_command("demo")
        locks.release(other, "demo")
    finally:
        other.close()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("yesterday", "no ISO moment"),
        ("2026-02-30", "no ISO moment"),
        ("0001-01-01", "not between"),
        ("9999-12-31T23:59", "not between"),
    ],
)
def test_a_moment_that_is_none_is_refused(text: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("demo", "--at", text)


def test_without_tables_it_says_to_migrate(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE storage_events RENAME TO something_else")
    with pytest.raises(CommandError, match=r"run manage\.py migrate first"):
        call_command("demo")
