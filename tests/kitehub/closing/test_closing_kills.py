"""A run that was killed at any step is finished by the same commands."""

import os
import signal
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection

from kitehub import archives, closing, tenancy, workflows
from kitehub.models import Instance, Tombstone
from kitehub.tenancy import provisioning, servers
from kitehub.workflows import opening
from storage.models import StorageUsage
from tests import programs
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.archives.schools import full
from tests.kitehub.closing.test_closing import counts
from tests.migrations.databases import url

# The module and function after which the process dies, or a table at whose deletion it does.
OF_CLOSING = ["tombstones._archive", "tombstones._bury"]
OF_ROWS = ["dropping._begin", "deleting storage_events", "dropping._delete_rows"]
OF_DATABASES = ["dropping._begin", "provisioning._run DROP DATABASE", "dropping._drop_database"]
KILLED = """
import os, signal, sys
from pathlib import Path
import django
django.setup()
from kitehub import workflows
from kitehub.closing import dropping, tombstones
from kitehub.models import Instance
from kitehub.tenancy import provisioning
def die():
    os.kill(os.getpid(), signal.SIGKILL)
step, school, folder = sys.argv[1:]
said = []
def progress(table, rows):
    if step == f"deleting {table}" and dropping.started:
        die()
dropping.started = False
if not step.startswith("deleting"):
    where, _, statement = step.partition(" ")
    module, name = where.split(".")
    module = globals()[module]
    whole = getattr(module, name)
    def dying(*args, **kwargs):
        whole(*args, **kwargs)
        if not statement or statement in str(args):
            die()
    setattr(module, name, dying)
compare = dropping._compare
def comparing(*args):
    compare(*args)
    dropping.started = True
dropping._compare = comparing
instance = Instance.all_objects.get(pk=school)
buried = workflows.deprovision(instance, archive_to=Path(folder), actor="t", progress=progress)
workflows.drop_deprovisioned(buried, actor="t", at=buried.deprovision_at, progress=progress)
"""


def kill(step: str, school: Instance, folder: Path) -> None:
    done = programs.run(
        "-c",
        KILLED,
        step,
        str(school.id),
        str(folder),
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "kitehub.settings",
            "DJANGO_DEBUG": "on",
            "DATABASE_URL": url(connection),
        },
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def finish(school: Instance, folder: Path) -> Tombstone:
    tombstone = workflows.deprovision(
        Instance.all_objects.get(pk=school.pk), archive_to=folder, actor="t"
    )
    done = workflows.drop_deprovisioned(tombstone, actor="t", at=tombstone.deprovision_at)
    return done.tombstone


def assert_gone_but_archived(school: Instance, rows: dict[str, int]) -> None:
    tombstone = Tombstone.objects.get()
    assert tombstone.dropped_at is not None
    path = Path(tombstone.archive_path)
    assert archives.file_digest(path) == tombstone.archive_sha256
    with archives.opened(path, progress=archives.quiet) as archive:
        found = {file.table: file.rows for file in archive.manifest.of(archives.TENANT)}
    assert found == rows
    assert Instance.all_objects.get(pk=school.pk).deleted


@pytest.mark.parametrize("step", [*OF_CLOSING, *OF_ROWS])
def test_rows_of_the_pool(step: str, school: Instance, tmp_path: Path) -> None:
    neighbour = Instance.objects.exclude(pk=school.pk).get()
    rows, theirs = counts(school), counts(neighbour)
    kill(step, school, tmp_path)
    if step != OF_ROWS[-1]:
        assert counts(school) == rows
    finish(school, tmp_path)
    assert_gone_but_archived(school, rows)
    assert set(counts(school).values()) == {0}
    assert counts(neighbour) == theirs


@pytest.fixture
def own(silos: None) -> Instance:
    """A school with a database and a role that KiteHub made for it."""
    made = uuid4()
    school = InstanceFactory(id=made, **opening.silo_placement(servers.OWN, made))
    with provisioning.administration() as admin:
        opening.make_silo(admin, school)
    return full(school)


@pytest.mark.parametrize("step", OF_DATABASES)
def test_database_of_its_own(step: str, own: Instance, tmp_path: Path) -> None:
    rows = counts(own)
    kill(step, own, tmp_path)
    if step == OF_DATABASES[0]:
        with pytest.raises(closing.ClosingError, match="too late"):
            workflows.cancel_deprovision(own, actor="t")
    finish(own, tmp_path)
    assert_gone_but_archived(own, rows)
    name = own.database_username
    with provisioning.administration() as admin:
        assert not provisioning.exists(admin, name)
        found = admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [name])
        assert found.rowcount == 0
    assert not Instance.all_objects.get(pk=own.pk).database_password


def test_database_that_changed_stays_with_its_role(own: Instance, tmp_path: Path) -> None:
    tombstone = workflows.deprovision(own, archive_to=tmp_path, actor="t")
    with tenancy.use(own), tenancy.atomic():
        StorageUsage.objects.update(used_bytes=1)
    with pytest.raises(closing.ClosingError, match=r"\(storage_usage\).* Nothing was dropped"):
        workflows.drop_deprovisioned(tombstone, actor="t", at=tombstone.deprovision_at)
    assert counts(own)["storage_events"] == 7
    workflows.cancel_deprovision(own, actor="t")


def test_database_that_a_second_school_moved_into_is_only_cleaned(
    own: Instance, tmp_path: Path
) -> None:
    at = {"database_url": own.database_url, "database_username": own.database_username}
    guest = full(InstanceFactory(**at, database_password=own.database_password))
    theirs = counts(guest)
    tombstone = finish(own, tmp_path)
    assert tombstone.dropped_at
    assert set(counts(own).values()) == {0}
    assert counts(guest) == theirs
    finish(guest, tmp_path)  # the last one
    with provisioning.administration() as admin:
        assert not provisioning.exists(admin, own.database_username)
