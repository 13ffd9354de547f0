"""A closed gate refuses every writer, and whoever closes it knows that nobody writes any more."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from analytics.models import GuestEvent
from kitehub import tenancy
from kitehub.db.errors import explain
from kitehub.db.gates import GateReason, passing
from kitehub.models import Instance
from kitehub.moving import copying
from kitehub.tenancy import gates
from storage.models import StorageEvent, StorageUsage
from tests.concurrency.threads import Background
from tests.kitehub.moving.schools import school, upload

INSERT = "INSERT INTO guest_events (session_id, instance_id, event_type) VALUES ('s', %s, 'x')"


@pytest.fixture(params=["pool", "silo"])
def here(request: pytest.FixtureRequest, transactional_db: None) -> Instance:
    """A school in the pool, and one in a silo."""
    if request.param == "silo":
        made: Instance = request.getfixturevalue("silo")
        return made
    return school()


def insert(instance: Instance, repeatable: bool = False) -> None:
    with connections[tenancy.alias_of(instance)].cursor() as cursor:
        if repeatable:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT 1")
        cursor.execute(INSERT, [instance.pk])


def count(instance: Instance) -> int:
    with tenancy.use(instance):
        return GuestEvent.objects.filter(event_type="x").count()


def test_raw_sql_and_the_orm_are_refused_and_reads_are_not(here: Instance) -> None:
    alias = tenancy.alias_of(here)
    gates.close(alias, here.pk, GateReason.SUSPENDED)
    with pytest.raises(tenancy.WritesRefused, match="is suspended") as refused:
        insert(here)
    assert not refused.value.retry
    assert refused.value.instance_id == here.pk
    assert explain(refused.value) == f"writes of instance {here.pk} are refused: it is suspended"
    with tenancy.use(here):
        with pytest.raises(tenancy.WritesRefused):
            upload(here.pk)
        assert GuestEvent.objects.filter(event_type="x").count() == 0
    gates.reopen(alias, here.pk, GateReason.SUSPENDED)
    insert(here)
    assert count(here) == 1


def test_gate_is_one_schools_alone(here: Instance) -> None:
    neighbour = school()
    gates.close(tenancy.POOL, here.pk, GateReason.SUSPENDED)
    gates.close(tenancy.alias_of(here), here.pk, GateReason.SUSPENDED)
    with tenancy.use(neighbour):
        upload(neighbour.pk)
        GuestEvent.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [neighbour.pk])
        with pytest.raises(tenancy.WritesRefused):
            cursor.execute("UPDATE guest_events SET instance_id = %s", [here.pk])
        with pytest.raises(tenancy.WritesRefused):
            cursor.execute("TRUNCATE guest_sessions")


def test_gate_with_an_end_opens_by_itself(here: Instance) -> None:
    alias = tenancy.alias_of(here)
    gates.close(alias, here.pk, GateReason.MOVING, lasts=timedelta(seconds=0.3))
    with pytest.raises(tenancy.WritesRefused, match="try again in a moment") as refused:
        insert(here)
    assert refused.value.retry
    threading.Event().wait(0.35)
    insert(here)
    assert not gates.extend(alias, here.pk, lasts=timedelta(seconds=9)), "somebody has passed"


def test_extended_gate_never_was_open(here: Instance) -> None:
    alias = tenancy.alias_of(here)
    gates.close(alias, here.pk, GateReason.MOVING, lasts=timedelta(seconds=30))
    assert gates.extend(alias, here.pk, lasts=timedelta(minutes=9))
    with pytest.raises(tenancy.WritesRefused):
        insert(here)


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_who_began_before_the_gate_closed_is_waited_for(
    here: Instance, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    alias = tenancy.alias_of(here)
    if not guarded:
        monkeypatch.setattr(gates, "_writers", lambda alias: set())
    wrote, may_commit = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic(using=alias):
            insert(here)
            wrote.set()
            assert may_commit.wait(20)
        connections[alias].close()

    def close_and_copy() -> int:
        gates.close(alias, here.pk, GateReason.MOVING)
        gates.wait_for_writers(alias)
        seen = count(here)
        connections[alias].close()
        return seen

    writer = Background(write)
    assert wrote.wait(20)
    closer = Background(close_and_copy)
    threading.Event().wait(0.3)
    assert closer.over is not guarded
    may_commit.set()
    writer.join()
    # Without the wait the copy lacks a row that was acknowledged.
    assert (closer.join(), count(here)) == ((1, 1) if guarded else (0, 1))


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_snapshot_from_before_the_gate_writes_nothing(
    here: Instance, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    alias = tenancy.alias_of(here)
    if not guarded:
        monkeypatch.setattr(gates, "_CHANGED", "SELECT 1")

    def close() -> None:
        gates.close(alias, here.pk, GateReason.MOVING)
        gates.wait_for_writers(alias)
        connections[alias].close()

    def late() -> None:
        with transaction.atomic(using=alias):
            connections[alias].cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connections[alias].cursor().execute("SELECT 1 FROM guest_events")
            Background(close).join()
            insert(here)

    refused: Any = pytest.raises(Exception, match="could not serialize access")
    with refused if guarded else nullcontext():
        late()
    assert count(here) == (0 if guarded else 1)


def test_writer_that_does_not_end_is_named(here: Instance) -> None:
    alias = tenancy.alias_of(here)
    wrote, may_end = threading.Event(), threading.Event()

    def write() -> int:
        with transaction.atomic(using=alias):
            insert(here)
            pid = connections[alias].connection.info.backend_pid
            wrote.set()
            may_end.wait(20)
        connections[alias].close()
        return int(pid)

    writer = Background(write)
    assert wrote.wait(20)
    with pytest.raises(gates.WritersAtWork, match=r"did not end within 0\.1 s: \d+\.") as late:
        gates.wait_for_writers(alias, most=0.1)
    may_end.set()
    assert str(writer.join()) in str(late.value)


@pytest.mark.parametrize(
    "write",
    [
        lambda instance: upload(instance.pk),
        lambda instance: GuestEvent.objects.update(event_type="y"),
        lambda instance: GuestEvent.objects.all()[:1].get().delete(),
        lambda instance: GuestEvent.objects.bulk_create([GuestEvent(session_id="s")] * 1),
    ],
    ids=["upload", "update", "delete", "insert"],
)
def test_watched_writes_are_logged_row_by_row(
    write: Callable[[Instance], object], transactional_db: None
) -> None:
    made = school()
    gates.close(tenancy.POOL, made.pk, GateReason.WATCHED)
    before = {row.pk for row in GuestEvent.objects.all()} | _ids(StorageEvent)
    with tenancy.use(made):
        write(made)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_id FROM instance_changes WHERE instance_id = %s", [made.pk])
        logged = {row for (row,) in cursor.fetchall()}
    after = {row.pk for row in GuestEvent.objects.all()} | _ids(StorageEvent)
    assert logged >= before ^ after
    assert logged
    assert copying.late_changes(tenancy.POOL, made.pk) > 0


def test_change_of_the_schema_mends_rows_of_suspended_schools(transactional_db: None) -> None:
    made = school()
    gates.close(tenancy.POOL, made.pk, GateReason.SUSPENDED)
    with passing(connection):
        StorageUsage.objects.update(limit_bytes=9)
        gates.close(tenancy.POOL, made.pk, GateReason.MOVING)
        with pytest.raises(tenancy.WritesRefused, match="being moved"):
            StorageUsage.objects.update(limit_bytes=8)
    assert StorageUsage.objects.get().limit_bytes == 9


def test_duties_of_the_whole_pool_pass_over_who_is_suspended(transactional_db: None) -> None:
    quiet, busy = school(), school()
    gates.close(tenancy.POOL, quiet.pk, GateReason.SUSPENDED)
    with connection.cursor() as cursor, passing(connection):
        cursor.execute("UPDATE storage_reservations SET expires_at = now() - interval '1 hour'")
    call_command("expire_reservations")
    with connection.cursor() as cursor:
        cursor.execute("SELECT instance_id FROM storage_reservations WHERE status = 'EXPIRED'")
        assert cursor.fetchall() == [(busy.pk,)]


def _ids(model: Any) -> set[Any]:
    return set(model.objects.values_list("pk", flat=True))
