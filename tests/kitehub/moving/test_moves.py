"""A move takes every row as it is, and the instance lives at one place before, during and after."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction

from analytics.models import GuestEvent
from kitehub import tenancy
from kitehub.db.acting import acting
from kitehub.enums import MoveStep
from kitehub.models import Instance, InstanceConfig, InstanceMove
from kitehub.moving import MoveRefused, abort, copying, move, plan, purge, resume, suspend
from kitehub.tenancy import gates
from kitehub.tenancy.router import tenant_models
from storage.models import StorageEvent, StorageUsage
from tests.kitehub.moving.schools import assert_ledger, fresh, school, sums, upload


def to(place: str, instance: Instance) -> InstanceMove | None:
    return move(instance=fresh(instance), to=place, actor="ops")


def count_databases(instance: Instance) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_database WHERE datname = %s", [f"kitehub_{instance.pk.hex}"]
        )
        return int(cursor.fetchone()[0])


def test_rows_arrive_as_they_were_and_can_be_written_there(moved_school: Instance) -> None:
    neighbour = school()
    before, others = sums(moved_school), sums(neighbour)
    done = to("silo", moved_school)
    assert done is not None
    assert (done.step, done.created_by) == (MoveStep.DONE, "ops")
    assert done.refused_ms < 10_000
    now = fresh(moved_school)
    assert now.database_url == f"postgres:///kitehub_{moved_school.pk.hex}"
    assert now.updated_by == "ops"
    assert sums(moved_school) == before
    assert min(count for count, _ in before.values()) > 0, "every table has rows to move"
    with tenancy.use(now):
        upload(now.pk)
        InstanceConfig.objects.update(limitations={"maxStorageBytes": 5})
        assert StorageUsage.objects.get().limit_bytes == 5
    assert_ledger(now, 11)
    assert sums(neighbour) == others
    assert gates.reasons(tenancy.alias_of(now), now.pk) == {}


def test_moves_there_and_back_and_there_again(moved_school: Instance) -> None:
    before = sums(moved_school)
    to("silo", moved_school)
    with pytest.raises(MoveRefused, match="rows of this instance"):
        to("pool", moved_school)
    abort(instance=fresh(moved_school))
    assert sums(moved_school) == before
    purge(instance=fresh(moved_school))
    to("pool", moved_school)
    assert tenancy.alias_of(fresh(moved_school)) == tenancy.POOL
    assert sums(moved_school) == before
    assert count_databases(moved_school) == 1
    purge(instance=fresh(moved_school))
    assert count_databases(moved_school) == 0
    to("silo", moved_school)
    assert sums(moved_school) == before
    assert_ledger(moved_school, 4)


def test_old_place_refuses_whoever_still_knows_it(moved_school: Instance) -> None:
    stale = fresh(moved_school)
    to("silo", moved_school)
    with tenancy.use(stale):
        for write in (
            lambda: upload(stale.pk),
            lambda: GuestEvent.objects.update(event_type="x"),
            lambda: GuestEvent.objects.all().delete(),
            lambda: InstanceConfig.objects.update(tier="BASIC"),
            lambda: StorageUsage.objects.update(used_bytes=0),
        ):
            with pytest.raises(tenancy.WritesRefused, match="has moved") as refused:
                write()
            assert refused.value.retry
            assert refused.value.reason is tenancy.GateReason.MOVED
    stale.refresh_from_db()
    with tenancy.use(stale):
        upload(stale.pk)
    assert_ledger(stale, 11)


def test_purge_removes_the_pools_rows_of_this_school_only(moved_school: Instance) -> None:
    neighbour = school()
    others = sums(neighbour)
    with pytest.raises(CommandError, match="No instance"):
        call_command("move_instance", "nowhere", "--purge")
    call_command("move_instance", moved_school.subdomain, "--to", "silo", "--purge")
    assert not any(copying.counts(tenancy.POOL, moved_school.pk).values())
    assert sums(neighbour) == others
    assert InstanceMove.objects.get().step == MoveStep.PURGED
    assert_ledger(moved_school, 4)


def test_flag_of_moves_opens_nothing_to_those_who_are_not_moved(moved_school: Instance) -> None:
    for sql in (
        "DELETE FROM storage_events",
        "UPDATE storage_usage SET used_bytes = 0",
        "DELETE FROM instance_configs",
    ):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL kitehub.moving = 'on'")
            with pytest.raises(IntegrityError, match="is not being moved"):
                cursor.execute(sql)
            transaction.set_rollback(True)
    assert StorageEvent.objects.count() == 2


def test_dry_run_and_repetition_change_nothing(
    moved_school: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    name = moved_school.subdomain
    call_command("move_instance", name, "--to", "silo", "--dry-run", "--json")
    said = json.loads(capsys.readouterr().out)
    assert (said["rows"]["guest_events"], said["makes_target"]) == (20, True)
    assert not InstanceMove.objects.exists()
    call_command("move_instance", name, "--to", "pool")
    assert "lives there already" in capsys.readouterr().out
    call_command("move_instance", name, "--to", "silo", "--json")
    assert json.loads(capsys.readouterr().out)["step"] == "DONE"
    call_command("move_instance", name, "--to", "silo")
    assert "lives there already" in capsys.readouterr().out
    assert InstanceMove.objects.count() == 1


def test_database_that_is_there_is_taken_by_its_address(silo: Instance) -> None:
    made = school()
    before = sums(made)
    address = silo.database_url
    assert plan(instance=made, to=address).target.makes is False
    to(address, made)
    assert sums(made) == before
    assert fresh(made).database_url == address
    upload_in(made)
    with pytest.raises(MoveRefused, match="must start with postgres://"):
        to("mysql://x/y", made)


def test_suspended_school_stays_suspended_at_its_new_place(moved_school: Instance) -> None:
    suspend(instance_id=moved_school.pk, reason="unpaid", actor="ops")
    to("silo", moved_school)
    with pytest.raises(tenancy.WritesRefused, match="is suspended"):
        upload_in(moved_school)
    resume(instance_id=moved_school.pk, reason="", actor="ops")
    upload_in(moved_school)
    assert_ledger(moved_school, 11)


def test_rows_that_differ_are_found_and_the_source_works_on(
    moved_school: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = copying.copy_all

    def spoilt(source: str, target: str, instance_id):
        found = whole(source, target, instance_id)
        with gates.moving(target) as into:
            into.execute(
                "DELETE FROM guest_events WHERE id = (SELECT id FROM guest_events LIMIT 1)"
            )
        return found

    monkeypatch.setattr(copying, "copy_all", spoilt)
    with pytest.raises(copying.Different, match="guest_events: 20 rows at the source and 19"):
        to("silo", moved_school)
    upload_in(moved_school)
    assert tenancy.alias_of(fresh(moved_school)) == tenancy.POOL
    abort(instance=fresh(moved_school))
    assert count_databases(moved_school) == 0
    monkeypatch.undo()
    to("silo", moved_school)
    assert_ledger(moved_school, 11)


def test_old_audit_rows_without_an_author_get_none_by_moving(moved_school: Instance) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE storage_events SET created_by = NULL")
        cursor.execute("SET session_replication_role = origin")
    to("silo", moved_school)
    with tenancy.use(fresh(moved_school)), tenancy.atomic() as alias, acting("x", using=alias):
        assert set(StorageEvent.objects.values_list("created_by", flat=True)) == {None}


def test_every_tenants_table_has_its_gate(moved_school: Instance) -> None:
    for model in tenant_models():
        assert model._meta.pk.column == "id"
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT bit_or(tgtype::int) FROM pg_trigger JOIN pg_proc p ON p.oid = tgfoid"
                " WHERE tgrelid = %s::regclass AND proname ~ '^gate_(row|rows|table)$'",
                [model._meta.db_table],
            )
            # INSERT, DELETE, UPDATE and TRUNCATE, as pg_trigger.h numbers them.
            assert cursor.fetchone()[0] & 0b111100 == 0b111100, model


def upload_in(instance: Instance) -> None:
    with tenancy.use(fresh(instance)):
        upload(instance.pk)
