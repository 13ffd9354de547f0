"""What could go wrong with a move, and what is done about it."""

from uuid import UUID

import pytest
from django.db import IntegrityError, connection, connections, transaction

from analytics.models import GuestEvent
from kitehub import tenancy
from kitehub.db.acting import acting
from kitehub.models import Instance
from kitehub.moving import MoveRefused, abort, copying, purge
from kitehub.tenancy import gates
from kitehub.tenancy.router import tenant_models
from storage.models import StorageEvent
from tests.kitehub.moving.schools import (
    assert_ledger,
    count_databases,
    fresh,
    moved,
    upload,
    upload_in,
)


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
        moved(moved_school, "silo")
    upload_in(moved_school)
    assert tenancy.alias_of(fresh(moved_school)) == tenancy.POOL
    abort(instance=fresh(moved_school))
    assert count_databases(moved_school) == 0
    monkeypatch.undo()
    moved(moved_school, "silo")
    assert_ledger(moved_school, 11)


def test_old_audit_rows_without_an_author_get_none_by_moving(moved_school: Instance) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE storage_events SET created_by = NULL")
        cursor.execute("SET session_replication_role = origin")
    moved(moved_school, "silo")
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


@pytest.mark.parametrize("logged", [True, False], ids=["logged", "control"])
def test_what_is_written_while_rows_are_copied_arrives_too(
    moved_school: Instance, logged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = copying.copy_all

    def and_write(source: str, target: str, instance_id: UUID) -> dict[str, int]:
        found = whole(source, target, instance_id)
        upload_in(moved_school)
        with tenancy.use(fresh(moved_school)):
            GuestEvent.objects.filter(metadata__n__lt=5).delete()
            GuestEvent.objects.filter(metadata__n=7).update(event_type="changed")
        return found

    monkeypatch.setattr(copying, "copy_all", and_write)
    if not logged:
        monkeypatch.setattr(copying, "copy_changes", lambda *args, whole: 0)
        with pytest.raises(copying.Different):
            moved(moved_school, "silo")
        return
    moved(moved_school, "silo")
    assert_ledger(moved_school, 11)
    with tenancy.use(fresh(moved_school)):
        assert GuestEvent.objects.count() == 15
        assert GuestEvent.objects.get(event_type="changed").metadata["n"] == 7


def test_last_part_that_takes_too_long_is_given_up(
    moved_school: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "extend", lambda *args, **kwargs: False)
    with pytest.raises(MoveRefused, match="does not fit into 60 s"):
        moved(moved_school, "silo")
    upload_in(moved_school)
    assert tenancy.alias_of(fresh(moved_school)) == tenancy.POOL
    monkeypatch.undo()
    moved(moved_school, "silo")
    assert_ledger(moved_school, 11)


def test_writes_after_the_switch_at_the_old_place_keep_it_from_being_purged(
    moved_school: Instance,
) -> None:
    moved(moved_school, "silo")
    gates.close(tenancy.POOL, moved_school.pk, tenancy.GateReason.WATCHED)
    gates.reopen(tenancy.POOL, moved_school.pk, tenancy.GateReason.MOVED)
    upload(moved_school.pk)  # as a stale process might, had the gate opened
    with pytest.raises(MoveRefused, match="came after the switch"):
        purge(instance=fresh(moved_school))
    assert any(copying.counts(tenancy.POOL, moved_school.pk).values())
