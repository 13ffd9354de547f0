"""Stored bytes under many writers at once; each guard is taken away once to see what it is for."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F
from psycopg.conninfo import make_conninfo

from kitehub.enums import Tier
from kitehub.models import InstanceConfig
from kitehub.plans import PLANS
from storage import migrations, services
from storage.models import StorageEvent, StorageUsage
from tests.concurrency.threads import Background, changed, together
from tests.factories.kitehub import InstanceConfigFactory
from tests.storage.ledger import COLUMNS, delete, upload, usage, used, with_room

pytestmark = pytest.mark.django_db(transaction=True)

SQL = Path(migrations.__file__).parent / "sql"


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


# --- First uploads ------------------------------------------------------------------------------


@contextmanager
def the_plans_trigger() -> Iterator[None]:
    """The function and trigger that the plan's V7 has, in place of ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_functiondef(tgfoid), pg_get_triggerdef(oid)"
            " FROM pg_trigger WHERE tgname = 'track_storage_changes'"
        )
        ours = cursor.fetchone()
    drop = "DROP TRIGGER track_storage_changes ON storage_events"
    execute(drop, (SQL / "0001_v7_storage_tracking.up.sql").read_text("utf-8"))
    try:
        yield
    finally:
        execute(drop, *ours)


def bytes_lost_by_first_uploads() -> int:
    """What is missing after ten times eight first uploads of 1,000 bytes at once."""
    schools = [uuid4() for _ in range(10)]
    for school in schools:
        together(*[lambda school=school: upload(school, 1000)] * 8)
    assert StorageEvent.objects.count() == 80
    return 80_000 - sum(StorageUsage.objects.values_list("used_bytes", flat=True))


def test_first_uploads_at_once_lose_nothing() -> None:
    assert bytes_lost_by_first_uploads() == 0


def test_control_the_plans_own_function_loses_first_uploads() -> None:
    with the_plans_trigger():
        assert bytes_lost_by_first_uploads() > 0


def test_first_uploads_of_several_processes_lose_nothing() -> None:
    school = uuid4()
    code = (
        "import psycopg, sys\n"
        "connection = psycopg.connect(sys.argv[1], autocommit=True)\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "for number in range(50):\n"
        f'    connection.execute("INSERT INTO storage_events ({COLUMNS})'
        " VALUES (%s, 'VIDEO', 'a', 'u', 7, 'UPLOAD')\", [sys.argv[2]])\n"
    )
    there = connection.settings_dict
    address = make_conninfo(
        dbname=there["NAME"],
        host=there["HOST"],
        port=there["PORT"],
        user=there["USER"],
        password=there["PASSWORD"],
    )
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", code, address, str(school)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for program in programs:
        assert program.stdout
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        program.communicate("go\n", timeout=60)
    assert [program.returncode for program in programs] == [0] * 4
    assert used(school) == 4 * 50 * 7


# --- The order of locks -------------------------------------------------------------------------


def crossing_statements() -> list[object]:
    """The failures of two statements that each name the same two instances, in opposite orders."""
    schools = [uuid4(), uuid4()]
    for school in schools:
        upload(school, 1)
    rows = (
        f"INSERT INTO storage_events ({COLUMNS})"
        " VALUES ('{}', '', 'a', '', 1, 'UPLOAD'), ('{}', '', 'b', '', 1, 'UPLOAD')"
    )
    slowly = ("EXIT WHEN FOUND;", "IF FOUND THEN PERFORM pg_sleep(0.2); EXIT; END IF;")
    with changed("count_storage(uuid,bigint,boolean)", slowly):
        results = together(
            lambda: execute(rows.format(*schools)),
            lambda: execute(rows.format(*reversed(schools))),
        )
    return [result for result in results if result]


def test_statements_about_several_instances_wait_for_each_other_in_order() -> None:
    assert crossing_statements() == []


def test_control_in_the_order_of_their_rows_they_deadlock() -> None:
    as_written = ("ORDER BY instance_id", "ORDER BY min(file_name)")
    with changed("update_storage_usage()", as_written):
        (failure,) = crossing_statements()
    assert isinstance(failure, OperationalError)
    assert "deadlock" in str(failure)


# --- The limit ----------------------------------------------------------------------------------


def limit_after_a_change_of_tier_during_the_first_upload() -> int:
    """The limit after the tier became STANDARD while the usage row was being made."""
    config = InstanceConfigFactory(tier=Tier.BASIC)
    StorageUsage.objects.all().delete()
    change = InstanceConfig.objects.filter(pk=config.pk)
    with transaction.atomic():
        upload(config.instance_id, 1)
        other = Background(lambda: change.update(tier=Tier.STANDARD))
        other.wait_until_blocked_or_done()
    assert other.join() == 1
    return usage(config.instance_id).limit_bytes


def test_a_change_of_tier_reaches_a_usage_row_that_is_being_made() -> None:
    limit = limit_after_a_change_of_tier_during_the_first_upload()
    assert limit == PLANS[Tier.STANDARD].storage_bytes


def test_control_an_update_instead_of_the_upsert_misses_that_row() -> None:
    update = (
        "INSERT INTO storage_usage AS usage (instance_id)",
        "UPDATE storage_usage SET limit_bytes = storage_limit_of(NEW.instance_id)"
        " WHERE instance_id = NEW.instance_id; RETURN NULL;"
        " INSERT INTO storage_usage AS usage (instance_id)",
    )
    with changed("move_storage_limit()", update):
        assert limit_after_a_change_of_tier_during_the_first_upload() == 0


# --- Reconcile ----------------------------------------------------------------------------------


def used_after_two_reconciles(monkeypatch: pytest.MonkeyPatch) -> int:
    """What is used, of 500 bytes uploaded and 300 of them lost, after both were slow to write."""
    instance = uuid4()
    upload(instance, 500)
    StorageUsage.objects.update(used_bytes=200)
    compare = services.drifts

    def slowly(**options: UUID) -> list[services.Drift]:
        found = compare(**options)
        time.sleep(0.3)
        return found

    monkeypatch.setattr(services, "drifts", slowly)
    together(*[lambda: services.reconcile(instance_id=instance)] * 2)
    return usage(instance).used_bytes


def test_two_reconciles_at_once_correct_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert used_after_two_reconciles(monkeypatch) == 500
    assert StorageEvent.objects.filter(operation="ADJUST").count() == 1


def test_control_without_the_lock_they_correct_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_lock_usage", lambda instance_id: None)
    assert used_after_two_reconciles(monkeypatch) == 800


def test_reconcile_is_right_while_others_write() -> None:
    instance = with_room(10**9)
    over = threading.Event()

    def work() -> int:
        done = 0
        while not over.is_set():
            upload(instance, 10)
            delete(instance, 3)
            services.reserve(instance_id=instance, size=5)
            done += 1
        return done

    def tamper_and_mend() -> None:
        try:
            for lost in (100, -100, 7, -7, 50, -50):
                StorageUsage.objects.update(
                    used_bytes=F("used_bytes") + abs(lost), reserved_bytes=F("reserved_bytes") + 9
                )
                assert len(services.reconcile(instance_id=instance)) == 1
        finally:
            over.set()

    *done, mended = together(work, work, work, tamper_and_mend)
    assert mended is None
    assert used(instance) == 7 * sum(done)
    assert usage(instance).reserved_bytes == 5 * sum(done)
