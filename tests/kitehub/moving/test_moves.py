"""A move takes every row as it is, and the instance lives at one place before, during and after."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from analytics.models import GuestEvent
from kitehub import tenancy
from kitehub.enums import MoveStep
from kitehub.models import Instance, InstanceConfig, InstanceMove
from kitehub.moving import MoveRefused, abort, copying, move, plan, purge, resume, suspend
from kitehub.tenancy import gates
from storage.models import StorageUsage
from tests.kitehub.moving.schools import (
    assert_ledger,
    count_databases,
    fresh,
    moved,
    school,
    sums,
    upload,
    upload_in,
)
from tests.migrations.databases import url


def test_rows_arrive_as_they_were_and_can_be_written_there(moved_school: Instance) -> None:
    neighbour = school()
    before, others = sums(moved_school), sums(neighbour)
    done = moved(moved_school, "silo")
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
    moved(moved_school, "silo")
    with pytest.raises(MoveRefused, match="rows of this instance"):
        moved(moved_school, "pool")
    abort(instance=fresh(moved_school))
    assert sums(moved_school) == before
    purge(instance=fresh(moved_school))
    moved(moved_school, "pool")
    assert tenancy.alias_of(fresh(moved_school)) == tenancy.POOL
    assert sums(moved_school) == before
    assert count_databases(moved_school) == 1
    purge(instance=fresh(moved_school))
    assert count_databases(moved_school) == 0
    moved(moved_school, "silo")
    assert sums(moved_school) == before
    assert_ledger(moved_school, 4)


def test_old_place_refuses_whoever_still_knows_it(moved_school: Instance) -> None:
    stale = fresh(moved_school)
    moved(moved_school, "silo")
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
    with pytest.raises(CommandError, match="There is no instance"):
        call_command("move_instance", "nowhere", "--purge")
    call_command("move_instance", moved_school.subdomain, "--to", "silo", "--purge")
    assert not any(copying.counts(tenancy.POOL, moved_school.pk).values())
    assert sums(neighbour) == others
    assert InstanceMove.objects.get().step == MoveStep.PURGED
    assert_ledger(moved_school, 4)


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
    moved(made, address)
    assert sums(made) == before
    assert fresh(made).database_url == address
    upload_in(made)
    with pytest.raises(MoveRefused, match="must start with postgres://"):
        moved(made, "mysql://x/y")


def test_database_is_made_on_another_server_by_its_administrator(moved_school: Instance) -> None:
    # The tests have one server, but its address with a host is another's as far as moves know.
    admin = url(connection).rpartition("/")[0] + "/postgres"
    before = sums(moved_school)
    move(instance=moved_school, to="silo", actor="ops", admin_url=admin)
    now = fresh(moved_school)
    assert now.database_url.endswith(f"/kitehub_{now.pk.hex}")
    assert "@" not in now.database_url
    assert now.database_username == f"kitehub_{now.pk.hex}"
    assert sums(now) == before
    stale = fresh(moved_school)
    purge(instance=fresh(moved_school))
    moved(moved_school, "pool")
    with tenancy.use(stale), pytest.raises(tenancy.WritesRefused, match="has moved"):
        upload(stale.pk)
    assert sums(moved_school) == before
    purge(instance=fresh(moved_school), admin_url=admin)
    assert count_databases(moved_school) == 0


def test_suspended_school_stays_suspended_at_its_new_place(moved_school: Instance) -> None:
    suspend(instance_id=moved_school.pk, reason="unpaid", actor="ops")
    moved(moved_school, "silo")
    with pytest.raises(tenancy.WritesRefused, match="is suspended"):
        upload_in(moved_school)
    resume(instance_id=moved_school.pk, reason="", actor="ops")
    upload_in(moved_school)
    assert_ledger(moved_school, 11)
