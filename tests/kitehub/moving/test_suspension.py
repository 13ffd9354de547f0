"""A suspended school is read and not written, until it is resumed in the state that it had."""

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections

from kitehub import tenancy
from kitehub.enums import InstanceStatus
from kitehub.models import Instance, InstanceSuspension
from kitehub.moving import SuspensionRefused, resume, suspend, suspension
from kitehub.tenancy import gates
from storage.models import StorageEvent
from tests.concurrency.threads import Background
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.moving.schools import fresh, school, upload

STATES = [InstanceStatus.TRIAL, InstanceStatus.ACTIVE]


def stop(instance: Instance, reason: str = "unpaid") -> bool:
    return suspend(instance_id=instance.pk, reason=reason, actor="ops@kitehub.test")


def go_on(instance: Instance) -> bool:
    return resume(instance_id=instance.pk, reason="paid", actor="boss@kitehub.test")


@pytest.mark.parametrize("status", STATES)
def test_resumed_school_has_the_state_it_had(status: str, transactional_db: None) -> None:
    made = school(status=status)
    assert stop(made)
    assert fresh(made).status == InstanceStatus.SUSPENDED
    with tenancy.use(made):
        with pytest.raises(tenancy.WritesRefused, match="is suspended"):
            upload(made.pk)
        assert StorageEvent.objects.count() == 2
    assert go_on(made)
    assert fresh(made).status == status
    with tenancy.use(made):
        upload(made.pk)


def test_who_did_it_when_and_why_is_kept(transactional_db: None) -> None:
    made = school()
    stop(made)
    assert fresh(made).updated_by == "ops@kitehub.test"
    go_on(made)
    kept = InstanceSuspension.objects.get()
    assert (kept.status_before, kept.reason, kept.created_by) == (
        "ACTIVE",
        "unpaid",
        "ops@kitehub.test",
    )
    assert (kept.resumed_by, kept.resume_reason) == ("boss@kitehub.test", "paid")
    assert kept.created_at <= kept.resumed_at


def test_repeating_either_changes_nothing_and_mends_the_gate(transactional_db: None) -> None:
    made = school()
    assert not go_on(made)
    stop(made)
    gates.reopen(tenancy.POOL, made.pk, tenancy.GateReason.SUSPENDED)  # as if cut short
    version = fresh(made).version
    assert not stop(made, "again")
    assert fresh(made).version == version
    assert InstanceSuspension.objects.get().reason == "unpaid"
    with tenancy.use(made), pytest.raises(tenancy.WritesRefused):
        upload(made.pk)
    go_on(made)
    assert not go_on(made)
    assert InstanceSuspension.objects.count() == 1


def test_status_written_by_hand_is_resumed_too(transactional_db: None) -> None:
    made = school(status=InstanceStatus.SUSPENDED)
    assert go_on(made)
    assert fresh(made).status == InstanceStatus.ACTIVE


def test_closed_or_deleted_school_is_left_alone(transactional_db: None) -> None:
    closed, deleted = InstanceFactory(status=InstanceStatus.CLOSED), InstanceFactory()
    deleted.delete()
    for made in (closed, deleted):
        with pytest.raises(SuspensionRefused):
            stop(made)
    assert not InstanceSuspension.objects.exists()


def test_silos_connections_are_ended(silo: Instance) -> None:
    alias = tenancy.alias_of(silo)

    def connected() -> object:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT pg_sleep(20)")
        return None

    other = Background(connected)
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = %s AND query LIKE '%%sleep%%' AND state = 'active'",
                [tenancy.database_of(silo)],
            )
            if cursor.fetchone()[0]:
                break
    stop(silo)
    assert isinstance(other.join(), OperationalError)
    with tenancy.use(silo):
        with pytest.raises(tenancy.WritesRefused):
            upload(silo.pk)
        assert StorageEvent.objects.count() == 0
    go_on(silo)
    with tenancy.use(silo):
        upload(silo.pk)


def test_gate_follows_what_happens_while_it_is_closed(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = school()
    ended = suspension._end_connections

    def resumed_meanwhile(alias: str, instance_id: object) -> None:
        monkeypatch.setattr(suspension, "_end_connections", ended)
        go_on(made)
        gates.close(alias, made.pk, tenancy.GateReason.SUSPENDED)

    monkeypatch.setattr(suspension, "_end_connections", resumed_meanwhile)
    stop(made)
    with tenancy.use(made):
        upload(made.pk)


def test_commands_say_what_became_of_it(
    transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    made = school()
    call_command("suspend_instance", made.subdomain, "--reason", "unpaid")
    assert f"{made.subdomain} is suspended; it was ACTIVE." in capsys.readouterr().out
    call_command("suspend_instance", made.subdomain, "--reason", "unpaid")
    assert "is suspended already" in capsys.readouterr().out
    call_command("resume_instance", made.subdomain)
    assert f"{made.subdomain} is ACTIVE again." in capsys.readouterr().out
    call_command("resume_instance", made.subdomain)
    assert "it was not suspended" in capsys.readouterr().out
    with pytest.raises(CommandError, match="There is no instance"):
        call_command("suspend_instance", "nowhere", "--reason", "x")
