"""What comes back is what was archived, byte for byte, whatever triggers would make of it."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction

from billing.models import Subscription, SubscriptionHistory
from kitehub import archives, tenancy, workflows
from kitehub.archives import loading
from kitehub.models import ArchiveRun, Instance
from kitehub.tenancy import provisioning
from storage.models import StorageEvent, StorageUsage
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.factories.storage import StorageEventFactory
from tests.kitehub.archives.schools import TABLES, erase, export, files, full, rewritten, rows

ACTOR = "t@kitehub.test"


def come_back(path: Path, **options: object) -> Instance:
    said = workflows.import_instance(path, actor=ACTOR, **options)
    return Instance.all_objects.get(pk=said.instance_id)


def test_round_trip_is_exact(school: Instance, tmp_path: Path) -> None:
    path = export(school, tmp_path)
    erase(school)
    back = come_back(path)
    assert files(export(back, tmp_path, "b.zip")) == files(path)
    assert tenancy.alias_of(back) == tenancy.POOL
    assert not back.database_password
    run = ArchiveRun.objects.get()
    assert (run.instance_id, run.kind, run.actor) == (back.id, "IMPORT", ACTOR)
    assert run.finished_at is not None
    assert run.archive_sha256 == archives.file_digest(path)


def test_triggers_do_their_work_on_imported_rows(school: Instance, tmp_path: Path) -> None:
    """The same as before: what was switched off for the import is on again."""
    path = export(school, tmp_path)
    erase(school)
    back = come_back(path)
    with tenancy.use(back):
        used = StorageUsage.objects.get().used_bytes
        StorageEventFactory(instance_id=back.id, file_size_bytes=7, created_by=None)
        assert StorageUsage.objects.get().used_bytes == used + 7
        assert not StorageEvent.objects.filter(created_by=None).exists()
    paid = Subscription.objects.get(instance=back)
    before = paid.history.count()
    paid.monthly_price += 1
    paid.save()
    assert paid.history.count() == before + 1
    SubscriptionFactory()
    assert SubscriptionHistory.objects.exclude(subscription=paid).filter(tier="BASIC").count() == 1
    for statement in ("UPDATE storage_events SET file_name = ''", "DELETE FROM storage_events"):
        with connection.cursor() as cursor, pytest.raises(IntegrityError, match="append-only"):
            cursor.execute(statement)


def as_the_plan_counted(school: Instance) -> None:
    """More was deleted than was ever counted (V7 stopped at 0), and nobody signed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        StorageEventFactory(instance_id=school.id, operation="DELETE", file_size_bytes=10**9)
        cursor.execute("UPDATE storage_events SET created_by = NULL")


def test_what_triggers_would_change_is_found_out(
    school: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without the loaders that know the triggers, an import is undone."""
    as_the_plan_counted(school)
    path = export(school, tmp_path)
    erase(school)
    for table, differs in {
        "subscriptions": "subscription_history would differ",
        "storage_events": "storage_events would differ",
        "storage_usage": "storage_usage_instance_id_key",
    }.items():
        with monkeypatch.context() as patch:
            phase, _ = loading._LOADERS[table]
            patch.setitem(loading._LOADERS, table, (phase, loading._load_plainly))
            with pytest.raises(archives.ArchiveError, match=differs):
                come_back(path)
    assert not Instance.all_objects.filter(pk=school.id).exists()
    come_back(path)


def test_events_from_before_authors_and_of_any_size_come_back(
    school: Instance, tmp_path: Path
) -> None:
    """As the plan's table has them (V7), and as large as the column can say."""
    as_the_plan_counted(school)
    with tenancy.use(school):
        StorageUsage.objects.update(used_bytes=0)
        for operation in ("UPLOAD", "DELETE", "UPLOAD", "DELETE"):
            StorageEventFactory(
                instance_id=school.id, file_size_bytes=2**63 - 1, operation=operation
            )
    path = export(school, tmp_path)
    assert None in {event["created_by"] for event in rows(path, "storage_events")}
    erase(school)
    assert files(export(come_back(path), tmp_path, "b.zip")) == files(path)


def test_from_a_silo_to_the_pool_and_into_a_new_silo(
    silo: Instance, silos: None, tmp_path: Path
) -> None:
    path = export(full(silo), tmp_path)
    erase(silo)
    pooled = come_back(path)
    assert tenancy.alias_of(pooled) == tenancy.POOL
    erase(pooled)
    own = come_back(path, silo=True)
    assert tenancy.database_of(own) == f"kitehub_{own.id.hex}"
    assert own.database_password.reveal()
    assert StorageEvent.objects.filter(instance_id=own.id).count() == 0  # none in the pool
    assert files(export(own, tmp_path, "b.zip")) == files(path)
    with connections[tenancy.alias_of(own)].cursor() as cursor:
        cursor.execute("SELECT current_user = %s", [own.database_username])
        assert cursor.fetchone()[0]


def test_failed_import_into_a_silo_leaves_no_database(
    school: Instance, silos: None, tmp_path: Path
) -> None:
    path = export(school, tmp_path)
    taken = rows(path, "payment_orders")[0]["order_id"]
    erase(school)
    PaymentOrderFactory(order_id=taken)
    with pytest.raises(archives.ArchiveError, match="payment_orders: duplicate key"):
        come_back(path, silo=True)
    with provisioning.administration() as admin:
        assert not provisioning.exists(admin, f"kitehub_{school.id.hex}")


def test_under_another_name_for_another_owner(school: Instance, tmp_path: Path) -> None:
    path = export(school, tmp_path)
    erase(school)
    InstanceFactory(subdomain=school.subdomain)
    owner = UserFactory()
    with pytest.raises(archives.ArchiveError, match="is taken; choose another one with --as"):
        come_back(path)
    back = come_back(path, subdomain="Ten-Moi", owner=owner)
    assert (back.id, back.subdomain, back.owner) == (school.id, "ten-moi", owner)
    again = files(export(back, tmp_path, "b.zip"))
    before = files(path)
    assert {name for name in again if again[name] != before[name]} == {"instances.jsonl"}


def test_dry_run_keeps_nothing(school: Instance, tmp_path: Path) -> None:
    path = export(school, tmp_path)
    erase(school)
    for options in ([], ["--silo"]):
        call_command("import_instance", str(path), "--dry-run", *options)
        assert not Instance.all_objects.filter(pk=school.id).exists()
        assert not StorageUsage.objects.filter(instance_id=school.id).exists()
    assert not ArchiveRun.objects.exists()


def test_archive_of_an_older_schema_gets_todays_defaults(school: Instance, tmp_path: Path) -> None:
    """One of before V10: no reservations, no reasons."""

    def older(said: dict, texts: dict[str, bytes]) -> None:
        texts.pop("storage_reservations.jsonl")
        said["files"] = [f for f in said["files"] if f["table"] != "storage_reservations"]
        gone = {
            "storage_usage": ["reserved_bytes"],
            "storage_events": ["reason", "correction_bytes"],
        }
        for table, columns in gone.items():
            name = f"{table}.jsonl"
            (file,) = (f for f in said["files"] if f["table"] == table)
            file["columns"] = [column for column in file["columns"] if column not in columns]
            kept = [json.loads(line) for line in texts[name].splitlines()]
            texts[name] = b"".join(
                json.dumps(
                    {k: v for k, v in row.items() if k not in columns},
                    separators=(",", ":"),
                    ensure_ascii=False,
                ).encode()
                + b"\n"
                for row in kept
            )

    path = rewritten(export(school, tmp_path), older)
    erase(school)
    back = come_back(path)
    with tenancy.use(back):
        usage = StorageUsage.objects.get()
        assert (usage.used_bytes, usage.limit_bytes, usage.reserved_bytes) == (4_000, 1_000, 0)
        assert StorageEvent.objects.filter(reason=None).count() == 7


def test_what_is_in_the_way_is_said(school: Instance, tmp_path: Path) -> None:
    path = export(school, tmp_path)

    def refused(*options: str) -> str:
        with pytest.raises(CommandError) as error:
            call_command("import_instance", str(path), *options)
        assert "\n" not in str(error.value)
        return str(error.value)

    assert refused() == f"The instance {school.id} exists already."
    school.delete()
    assert refused("--as", "khac") == f"The instance {school.id} exists already."
    erase(school, platform=False)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM instances WHERE id = %s", [school.id])
        cursor.execute("SET session_replication_role = DEFAULT")
    assert refused().endswith("has rows of this instance already.")
    erase(school)
    assert "kept for the platform" in refused("--as", "admin")
    assert refused("--owner", "x@x.vn") == "Nobody has the e-mail address x@x.vn."
    other = InstanceFactory(custom_domain="hoc.vn")
    assert refused() == "The domain hoc.vn is another school's."
    other.hard_delete()
    email = school.owner.email
    school.owner.delete()
    assert refused() == f"Its owner {email} isn't here; name one with --owner."
    assert not Instance.all_objects.filter(pk=school.id).exists()
    call_command("import_instance", str(path), "--owner", other.owner.email)
    assert Instance.objects.get(pk=school.id).owner == other.owner


def test_nothing_stays_of_rows_that_do_not_fit(school: Instance, tmp_path: Path) -> None:
    path = export(school, tmp_path)
    taken = rows(path, "guest_sessions")[0]["session_id"]
    erase(school)
    neighbour = Instance.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE guest_sessions SET session_id = %s", [taken])
    before = files(export(neighbour, tmp_path, "n1.zip"))
    with pytest.raises(CommandError, match=r"guest_sessions: duplicate key value .*session_id"):
        call_command("import_instance", str(path))
    assert not Instance.all_objects.filter(pk=school.id).exists()
    with connection.cursor() as cursor:
        for table in sorted(TABLES - {"instances", "subscription_history"}):
            cursor.execute(f"SELECT count(*) FROM {table} WHERE instance_id = %s", [school.id])
            assert cursor.fetchone()[0] == 0
    assert files(export(neighbour, tmp_path, "n2.zip")) == before
