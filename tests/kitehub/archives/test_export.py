"""An archive has all rows of one school, exactly, from one moment, and no secret."""

import hashlib
import json
import os
import signal
import stat
import zipfile
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, connections

from analytics.models import GuestEvent
from kitehub import archives, tenancy, workflows
from kitehub.db.versions import label
from kitehub.models import Instance
from tests import programs
from tests.factories.analytics import GuestEventFactory
from tests.kitehub.archives.schools import (
    ODD,
    PLATFORM,
    TABLES,
    export,
    files,
    full,
    manifest,
    rows,
)
from tests.migrations.databases import newest, url

# Tables that an archive leaves out on purpose. A new table with rows of an instance is archived by
# itself; it has to be in TABLES, or here with `archived = False` on its model.
LEFT_OUT = {
    *("instance_tombstones", "archive_runs", "instance_moves", "instance_suspensions"),
    "instance_watch",
    *("api_keys", "emails", "notes", "sign_in_attempts"),
    # KiteHub's own books.
    *("bank_transfers", "payment_allocations", "subscription_periods", "order_views"),
    *("subscription_adjustments", "credit_balances", "credit_entries", "refunds", "receipts"),
    *("manual_payments", "planned_matches", "goodwill_grants"),
}
KILLED = """
import os, signal, sys
from pathlib import Path
import django
django.setup()
from kitehub import workflows
from kitehub.models import Instance
def dying(table, rows):
    if table == "storage_events":
        os.kill(os.getpid(), signal.SIGKILL)
school = Instance.objects.get(pk=sys.argv[1])
workflows.export_instance(school, to=Path(sys.argv[2]), progress=dying)
"""


def test_every_table_with_rows_of_a_school_is_archived_or_left_out_on_purpose() -> None:
    assert {table.name for table in archives.tables()} == TABLES
    out = {m._meta.db_table for m in apps.get_models() if not getattr(m, "archived", True)}
    assert out == LEFT_OUT


def test_archive_has_the_schools_rows_and_nobody_elses(school: Instance, tmp_path: Path) -> None:
    path = export(school, tmp_path)
    assert set(files(path)) == {f"{table}.jsonl" for table in TABLES}
    for table in TABLES - {"instances", "subscription_history"}:
        found = rows(path, table)
        assert found
        assert {row["instance_id"] for row in found} == {str(school.id)}
    assert [row["id"] for row in rows(path, "instances")] == [str(school.id)]
    (paid,) = rows(path, "subscriptions")
    assert {row["subscription_id"] for row in rows(path, "subscription_history")} == {paid["id"]}


def test_manifest_is_true(school: Instance, tmp_path: Path) -> None:
    path = export(school, tmp_path)
    said = manifest(path)
    assert (said["format"], said["format_version"]) == ("kitehub-instance", 1)
    assert said["instance"]["subdomain"] == school.subdomain
    assert said["schema"]["version"] == label(newest())
    assert "storage.0004_v10_ledger" in said["schema"]["migrations"]["tenant"]
    found = files(path)
    for file in said["files"]:
        text = found[file["path"]]
        assert hashlib.sha256(text).hexdigest() == file["sha256"]
        assert text.count(b"\n") == file["rows"]
        assert file["part"] == ("platform" if file["table"] in PLATFORM else "tenant")
        for row in rows(path, file["table"]):
            assert list(row) == file["columns"]


def test_values_are_exact(school: Instance, tmp_path: Path) -> None:
    path = export(school, tmp_path)
    events = rows(path, "guest_events")
    assert {event["metadata"] for event in events} > {"null", None, "{}"}  # JSON's null, no value
    (odd,) = (event for event in events if event["course_name"] == ODD)
    assert odd["timestamp"] == "infinity"
    assert json.loads(odd["metadata"]) == {ODD: [ODD, 10**40]}
    assert "2026-03-01T07:08:09.123456+00:00" in {event["timestamp"] for event in events}
    assert max(event["file_size_bytes"] for event in rows(path, "storage_events")) == 2**45


def test_no_secret_and_no_address_leaves(school: Instance, tmp_path: Path) -> None:
    path = export(school, tmp_path)
    with connection.cursor() as cursor:
        cursor.execute("SELECT database_password, database_url FROM instances")
        secrets = [text for row in cursor.fetchall() for text in row if text]
    inside = b"".join(files(path).values()) + json.dumps(manifest(path)).encode()
    assert secrets
    for secret in [*secrets, "bí mật", '"database_', "gAAAAA"]:
        assert secret.encode() not in inside
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_rows_that_come_meanwhile_are_not_in_it(school: Instance, tmp_path: Path) -> None:
    def writing(table: str, count: int) -> None:
        GuestEventFactory(instance_id=school.id)

    before = GuestEvent.objects.filter(instance_id=school.id).count()
    done = workflows.export_instance(school, to=tmp_path / "a.zip", progress=writing)
    assert len(rows(done.path, "guest_events")) == before
    assert GuestEvent.objects.filter(instance_id=school.id).count() > before


def test_silo_is_archived_like_the_pool(silo: Instance, tmp_path: Path) -> None:
    path = export(full(silo), tmp_path)
    assert len(rows(path, "storage_events")) == 7
    assert len(rows(path, "subscription_history")) == 2
    assert set(manifest(path)["snapshots"]) == {"platform", "tenant"}


def test_killed_run_leaves_nothing_under_the_name(school: Instance, tmp_path: Path) -> None:
    to = tmp_path / "a.zip"
    killed = programs.run(
        "-c",
        KILLED,
        str(school.id),
        str(to),
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "kitehub.settings",
            "DJANGO_DEBUG": "on",
            "DATABASE_URL": url(connection),
        },
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not to.exists()
    (half,) = tmp_path.iterdir()
    assert half.name.endswith(".part")
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(half)
    assert export(school, tmp_path).exists()


def test_failing_run_leaves_no_file_at_all(school: Instance, tmp_path: Path) -> None:
    def failing(table: str, count: int) -> None:
        raise OSError(28, "No space left on device", str(tmp_path))

    with pytest.raises(OSError, match="No space left"):
        workflows.export_instance(school, to=tmp_path / "a.zip", progress=failing)
    assert list(tmp_path.iterdir()) == []


def test_silo_behind_the_code_is_refused(silo: Instance, tmp_path: Path) -> None:
    with connections[tenancy.alias_of(silo)].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE name = '0009_v15_archives'")
    with pytest.raises(archives.ArchiveError, match=r"lacks storage\.0009_v15_archives: bring"):
        export(silo, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_command_tells_people_and_programs(
    school: Instance, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = tmp_path / "1.zip", tmp_path / "2.zip"
    call_command("export_instance", school.subdomain, "--to", str(one))
    assert f"rows of 11 tables are in {one}" in capsys.readouterr().out
    call_command("export_instance", str(school.id), "--to", str(two), "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["rows"]["storage_events"] == 7
    assert said["sha256"] == hashlib.sha256(two.read_bytes()).hexdigest()
    assert files(one) == files(two)


def test_command_says_in_a_line_what_is_wrong(school: Instance, tmp_path: Path) -> None:
    (tmp_path / "there.zip").touch()
    for who, to, complaint in [
        ("nobody", "a.zip", "There is no instance nobody."),
        (school.subdomain, "a.tar", "a.tar: an archive is a .zip file."),
        (school.subdomain, "there.zip", "there.zip exists already."),
        (school.subdomain, "no/folder/a.zip", "No such file or directory."),
    ]:
        with pytest.raises(CommandError) as refused:
            call_command("export_instance", who, "--to", str(tmp_path / to))
        assert str(refused.value).endswith(complaint)
        assert "\n" not in str(refused.value)
