"""A closed school can be opened again until its data goes, which it never does unarchived."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from billing.models import PaymentOrder, SubscriptionHistory
from kitehub import archives, closing, tenancy, workflows
from kitehub.archives import quiet
from kitehub.models import ArchiveRun, Instance, Tombstone
from storage.models import StorageEvent
from tests.factories.analytics import GuestEventFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.archives.schools import PLATFORM, TABLES, export, files, full

ACTOR = "lan@kitehub.test"
TENANT = TABLES - PLATFORM


def close(school: Instance, folder: Path, **options: object) -> Tombstone:
    return workflows.deprovision(
        school, archive_to=folder, actor=ACTOR, reason="Hết hợp đồng", **options
    )


def drop(tombstone: Tombstone, **options: object) -> closing.Dropped:
    later = tombstone.deprovision_at + timedelta(seconds=1)
    return workflows.drop_deprovisioned(tombstone, actor=ACTOR, **{"at": later, **options})


def counts(school: Instance) -> dict[str, int]:
    with connections[tenancy.alias_of(school)].cursor() as cursor:
        found = {}
        for table in sorted(TENANT):
            cursor.execute(f"SELECT count(*) FROM {table} WHERE instance_id = %s", [school.id])
            found[table] = cursor.fetchone()[0]
    return found


def test_closing_hides_the_school_and_keeps_its_data(school: Instance, tmp_path: Path) -> None:
    before = counts(school)
    at = timezone.now()
    tombstone = close(school, tmp_path, at=at)
    assert tombstone.deprovision_at == at + timedelta(days=30)
    assert (tombstone.requested_by, tombstone.reason) == (ACTOR, "Hết hợp đồng")
    path = Path(tombstone.archive_path)
    assert path.parent == tmp_path
    assert archives.file_digest(path) == tombstone.archive_sha256
    row = Instance.all_objects.get(pk=school.pk)
    assert row.deleted
    assert row.updated_by == ACTOR
    assert counts(school) == before
    again = close(row, tmp_path, at=at + timedelta(days=9))
    assert (again.pk, again.deprovision_at) == (tombstone.pk, tombstone.deprovision_at)
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(closing.ClosingError, match=r"It is due on 20"):
        drop(tombstone, at=at + timedelta(days=29))


def test_cancelled_closing_opens_the_school_as_it_was(school: Instance, tmp_path: Path) -> None:
    before = files(export(school, tmp_path))
    tombstone = close(school, tmp_path)
    workflows.cancel_deprovision(school, actor="na@kitehub.test")
    after = files(export(Instance.objects.get(pk=school.pk), tmp_path, "b.zip"))
    assert {name for name in after if after[name] != before[name]} == {"instances.jsonl"}
    tombstone.refresh_from_db()
    assert tombstone.canceled_by == "na@kitehub.test"
    with pytest.raises(closing.ClosingError, match=r"It was cancelled\."):
        drop(tombstone)
    with pytest.raises(closing.ClosingError, match="isn't closed"):
        workflows.cancel_deprovision(school, actor=ACTOR)
    school.refresh_from_db()
    assert close(school, tmp_path).pk != tombstone.pk  # closed once more


def test_dropping_takes_the_schools_rows_and_nothing_else(school: Instance, tmp_path: Path) -> None:
    neighbour = Instance.objects.exclude(pk=school.pk).get()
    theirs = files(export(neighbour, tmp_path, "n1.zip"))
    orders = PaymentOrder.objects.filter(instance=school).count()
    history = SubscriptionHistory.objects.count()
    tombstone = close(school, tmp_path)
    rows = sum(counts(school).values())
    done = drop(tombstone)
    assert (done.rows, done.database) == (rows, "")
    assert set(counts(school).values()) == {0}
    assert files(export(neighbour, tmp_path, "n2.zip")) == theirs
    assert PaymentOrder.objects.filter(instance=school).count() == orders
    assert SubscriptionHistory.objects.count() == history
    with pytest.raises(workflows.SubdomainTaken):
        workflows.open_instance(
            subdomain=school.subdomain, organization_name="x", owner=school.owner, actor=ACTOR
        )
    run = ArchiveRun.objects.get()
    assert (run.instance_id, run.kind, run.actor) == (school.id, "ERASURE", ACTOR)
    assert run.archive_sha256 == tombstone.archive_sha256
    assert run.finished_at is not None
    with pytest.raises(closing.ClosingError, match="It was dropped"):
        drop(tombstone)
    with pytest.raises(closing.ClosingError, match="its data is gone"):
        close(school, tmp_path)
    with pytest.raises(closing.ClosingError, match="too late"):
        workflows.cancel_deprovision(school, actor=ACTOR)


def test_events_stay_append_only_for_all_but_an_open_erasure(school: Instance) -> None:
    refused = "DELETE FROM storage_events", "UPDATE storage_events SET file_name = ''"
    with connection.cursor() as cursor:
        other = Instance.objects.exclude(pk=school.pk).get()
        start = "INSERT INTO archive_runs (instance_id, kind, actor, archive_sha256)"
        cursor.execute(
            f"{start} VALUES (%s, 'ERASURE', 'x', ''), (%s, 'IMPORT', 'x', '')",
            [other.id, school.id],
        )
        for statement in (*refused, "DELETE FROM archive_runs", "TRUNCATE archive_runs"):
            with pytest.raises(IntegrityError, match="append-only"):
                cursor.execute(statement)
        with transaction.atomic():
            cursor.execute("DELETE FROM storage_events WHERE instance_id = %s", [other.id])
            assert cursor.rowcount == 7
            cursor.execute(
                "CREATE TEMPORARY TABLE archive_runs (LIKE public.archive_runs INCLUDING"
                " DEFAULTS) ON COMMIT DROP"
            )
            cursor.execute(
                "INSERT INTO archive_runs (instance_id, kind, actor, archive_sha256)"
                " VALUES (%s, 'ERASURE', 'x', '')",
                [school.id],
            )
            with pytest.raises(IntegrityError, match="append-only"):  # not by a table of that name
                cursor.execute("DELETE FROM storage_events")
            transaction.set_rollback(True)


def refusal(tombstone: Tombstone) -> str:
    with pytest.raises(closing.ClosingError) as error:
        drop(tombstone)
    return str(error.value)


def test_nothing_goes_without_its_archive(school: Instance, tmp_path: Path) -> None:
    tombstone = close(school, tmp_path)
    before = counts(school)
    path = Path(tombstone.archive_path)
    whole = path.read_bytes()
    path.unlink()
    assert refusal(tombstone).endswith("is not there. Nothing was dropped.")
    path.write_bytes(whole[:-1] + b"x")
    assert "its hash differs. Nothing was dropped." in refusal(tombstone)
    path.write_bytes(whole)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE guest_events SET event_type = 'y' WHERE event_type = 'x'")
    assert "Rows have changed since they were archived (guest_events)" in refusal(tombstone)
    school.refresh_from_db(from_queryset=Instance.all_objects.all())
    school.restore()
    assert "It was restored without cancelling its closing" in refusal(tombstone)
    tombstone.refresh_from_db()
    assert (tombstone.erasing_at, tombstone.dropped_at) == (None, None)
    assert counts(school) == before
    workflows.cancel_deprovision(school, actor=ACTOR)  # still possible


def test_closing_again_renews_an_archive_that_rows_left_behind(
    school: Instance, tmp_path: Path
) -> None:
    tombstone = close(school, tmp_path)
    GuestEventFactory(instance_id=school.id)
    assert "(guest_events)" in refusal(tombstone)
    again = close(school, tmp_path)
    assert again.pk == tombstone.pk
    assert again.archive_path != tombstone.archive_path
    assert [was["sha256"] for was in again.earlier_archives] == [tombstone.archive_sha256]
    assert drop(again).rows == 16


def test_rows_written_while_others_go_are_kept_and_archived_next(
    school: Instance, tmp_path: Path
) -> None:
    tombstone = close(school, tmp_path)

    said = []

    def writing(table: str, rows: int) -> None:
        said.append(table)
        if said.count("guest_events") == 2:  # first it is verified, then it goes
            said.append("guest_events")
            GuestEventFactory(instance_id=school.id)

    with pytest.raises(closing.ClosingError, match=r"kept \(guest_events 1\)\. Stop their writer"):
        drop(tombstone, progress=writing)
    assert counts(school) == dict.fromkeys(TENANT, 0) | {"guest_events": 1}
    with pytest.raises(closing.ClosingError, match="too late"):
        workflows.cancel_deprovision(school, actor=ACTOR)
    again = close(school, tmp_path)
    assert files(Path(again.archive_path))["guest_events.jsonl"].count(b"\n") == 1
    assert drop(again).rows == 1
    assert set(counts(school).values()) == {0}


def test_database_that_others_live_in_is_cleaned_and_stays(silo: Instance, tmp_path: Path) -> None:
    full(silo)
    tombstone = close(silo, tmp_path)
    done = drop(tombstone, progress=quiet)
    assert not done.database
    assert set(counts(silo).values()) == {0}
    with tenancy.use(silo):
        assert StorageEvent.objects.count() == 0
        assert ArchiveRun.objects.get().kind == "ERASURE"


def test_commands_close_and_drop_what_is_due(
    school: Instance, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Instance.objects.exclude(pk=school.pk).get()
    for each in (school, other):
        call_command(
            "deprovision_instance", each.subdomain, "--archive", str(tmp_path), "--grace", "1d"
        )
    assert "is closed, and its data goes on 20" in capsys.readouterr().out
    call_command("deprovision_due")
    assert "0 of 0 closed schools were dropped." in capsys.readouterr().out
    Path(Tombstone.objects.get(instance=other).archive_path).unlink()
    later = (timezone.now() + timedelta(days=2)).isoformat()
    with pytest.raises(CommandError, match="1 of 2 failed"):
        call_command("deprovision_due", "--at", later)
    out = capsys.readouterr().out
    assert f"{school.subdomain}: 15 rows are gone from its tables." in out
    assert f"{other.subdomain}: FAILED:" in out
    call_command("deprovision_instance", other.subdomain, "--cancel")
    assert f"{other.subdomain} is open again." in capsys.readouterr().out
    call_command(
        "deprovision_instance", other.subdomain, "--archive", str(tmp_path), "--now", "--json"
    )
    assert '"dropped": true' in capsys.readouterr().out
    with pytest.raises(CommandError, match="isn't closed"):
        call_command("deprovision_instance", InstanceFactory().subdomain, "--cancel")
    for wrong in (["--grace", "30"], ["--archive", "no/folder"], []):
        with pytest.raises(CommandError):
            call_command("deprovision_instance", school.subdomain, *wrong)
