"""Sums that somebody tampered with are found, said, and put right by an event."""

import json
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from kitehub import tenancy
from kitehub.db.acting import acting
from kitehub.models import Instance
from storage import services
from storage.models import Reservation, StorageEvent, StorageUsage
from tests.factories.kitehub import InstanceFactory
from tests.factories.storage import StorageEventFactory
from tests.storage.ledger import delete, upload, usage, used, with_room

pytestmark = pytest.mark.django_db


def tampered(**sums: int) -> UUID:
    """An instance with 500 bytes uploaded, 60 reserved, and other sums than that."""
    instance = with_room(1000)
    upload(instance, 500)
    services.reserve(instance_id=instance, size=60)
    StorageUsage.objects.filter(instance_id=instance).update(**sums)
    return instance


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("reconcile_storage", *arguments, stdout=out)
    return out.getvalue()


def past_the_triggers(statement: str, *parameters: object) -> None:
    """Writes as replication does, and as the plan's schema allowed."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, parameters)
        cursor.execute("SET LOCAL session_replication_role = origin")


# --- The service --------------------------------------------------------------------------------


@pytest.mark.parametrize("sums", [{"used_bytes": 200}, {"used_bytes": 999}, {"used_bytes": 0}])
def test_used_bytes_become_what_the_events_say_and_an_event_says_so(sums: dict[str, int]) -> None:
    instance = tampered(**sums)
    with acting("lan@kitehub.vn"):
        (drift,) = services.reconcile()
    assert (drift.instance_id, drift.used, drift.events) == (instance, sums["used_bytes"], 500)
    assert used(instance) == 500
    adjustment = StorageEvent.objects.get(operation="ADJUST")
    assert adjustment.file_size_bytes == 0
    assert adjustment.correction_bytes == 500 - sums["used_bytes"]
    assert adjustment.created_by == "lan@kitehub.vn"
    assert f"used {sums['used_bytes']} -> 500" in (adjustment.reason or "")
    assert services.reconcile() == []


def test_reserved_bytes_become_what_the_reservations_say() -> None:
    instance = tampered(reserved_bytes=7)
    (drift,) = services.reconcile()
    assert (drift.reserved, drift.open) == (7, 60)
    assert (used(instance), usage(instance).reserved_bytes) == (500, 60)
    adjustment = StorageEvent.objects.get(operation="ADJUST")
    assert (adjustment.file_size_bytes, adjustment.correction_bytes) == (0, 0)
    assert "reserved 7 -> 60 (+53)" in (adjustment.reason or "")


def test_a_lost_usage_row_is_made_again() -> None:
    instance = tampered()
    StorageUsage.objects.all().delete()
    services.reconcile()
    assert (used(instance), usage(instance).reserved_bytes) == (500, 60)


def test_more_deleted_than_uploaded_is_made_up_for_by_an_event_that_counts() -> None:
    instance = uuid4()
    past_the_triggers(
        "INSERT INTO storage_events (instance_id, file_type, file_name, file_url, operation,"
        " file_size_bytes) VALUES (%s, 'IMAGE', 'a', 'u', 'DELETE', 30)",
        instance,
    )
    (drift,) = services.reconcile()
    assert (drift.events, drift.true_used) == (-30, 0)
    assert used(instance) == 0
    assert StorageEvent.objects.get(operation="ADJUST").file_size_bytes == 30
    assert services.reconcile() == []


def test_what_agrees_is_left_alone() -> None:
    instance = tampered()
    delete(instance, 600)
    Reservation.objects.all().delete()
    assert services.drifts() == services.reconcile() == []
    assert StorageEvent.objects.of_instance(instance).count() == 3


def test_one_instance_is_put_right_and_another_left() -> None:
    one, other = tampered(used_bytes=1), tampered(used_bytes=2)
    assert [drift.instance_id for drift in services.reconcile(instance_id=one)] == [one]
    assert usage(other).used_bytes == 2


# --- The command --------------------------------------------------------------------------------


def test_the_command_says_each_drift_and_puts_it_right() -> None:
    instance = tampered(used_bytes=200, reserved_bytes=0)
    said = run()
    assert f"{instance}: used 200 -> 500 (+300), reserved 0 -> 60 (+60)" in said
    assert "Put right: 1." in said
    assert used(instance) == 500
    assert StorageEvent.objects.get(operation="ADJUST").created_by == "manage.py reconcile_storage"
    assert run() == "Every sum is that of its rows.\n"


def test_a_dry_run_says_it_changes_nothing_and_fails() -> None:
    instance = tampered(used_bytes=200)
    out = StringIO()
    with pytest.raises(CommandError, match="differ from their events: 1") as ended:
        call_command("reconcile_storage", "--dry-run", stdout=out)
    assert ended.value.returncode == 1
    assert "used 200 -> 500 (+300)" in out.getvalue()
    assert usage(instance).used_bytes == 200
    assert not StorageEvent.objects.filter(operation="ADJUST").exists()


def test_the_command_prints_json_of_one_instance() -> None:
    one = tampered(used_bytes=1)
    tampered(used_bytes=2)
    assert json.loads(run("--json", "--instance", str(one))) == {
        "corrected": True,
        "drifts": [
            {
                "instance_id": str(one),
                "used": 1,
                "events": 500,
                "true_used": 500,
                "reserved": 60,
                "open": 60,
            }
        ],
        "failed": [],
    }


def test_the_command_goes_into_silos_and_tells_of_those_it_cannot_reach(
    silo: Instance,
) -> None:
    with tenancy.use(silo):
        StorageEventFactory(instance_id=silo.pk, operation="UPLOAD", file_size_bytes=500)
        StorageUsage.objects.update(used_bytes=200)
    lost = InstanceFactory(database_url="postgres:///none_of_that_name", owner=silo.owner)
    out = StringIO()
    with pytest.raises(CommandError, match="could not be reconciled: 1"):
        call_command("reconcile_storage", stdout=out)
    assert f"{silo.pk}: used 200 -> 500 (+300)" in out.getvalue()
    assert f"{lost.subdomain}: " in out.getvalue()
    assert run("--instance", silo.subdomain) == "Every sum is that of its rows.\n"
    with tenancy.use(silo):
        assert StorageUsage.objects.get().used_bytes == 500
        assert StorageEvent.objects.get(operation="ADJUST").created_by == (
            "manage.py reconcile_storage"
        )


def test_an_instance_that_is_no_uuid_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no instance"):
        run("--instance", "truong-1")


def test_the_purge_is_a_command() -> None:
    out = StringIO()
    call_command("expire_reservations", stdout=out)
    assert out.getvalue() == "Expired: 0. Forgotten: 0.\n"
