"""PgBouncer in transaction mode before a silo, with fewer connections than threads.

Runs where pgbouncer is installed; with KITEHUB_TESTS_NEED_PGBOUNCER set, as in CI, it must be.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import Error, connection, connections, transaction

from analytics.models import GuestEvent
from kitehub import tenancy, workflows
from kitehub.db.acting import acting
from kitehub.db.backends.embedded import identity
from kitehub.models import Instance
from kitehub.tenancy import provisioning
from kitehub.tenancy.connections import close_all
from storage.models import StorageEvent, StorageUsage
from tests.concurrency.own_server import wait_until
from tests.concurrency.threads import together
from tests.factories.kitehub import UserFactory

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
NEEDED = bool(os.environ.get("KITEHUB_TESTS_NEED_PGBOUNCER"))
pytestmark = pytest.mark.skipif(not PROGRAM and not NEEDED, reason="pgbouncer isn't installed")

THREADS, ROUNDS, POOL_SIZE = 6, 15, 2
CONFIG = """
[databases]
* = host={host} port={port}
[pgbouncer]
unix_socket_dir = {folder}
listen_port = 6432
pool_mode = transaction
default_pool_size = {size}
auth_type = scram-sha-256
auth_file = {folder}/users
logfile = {folder}/log
"""


@pytest.fixture
def pooled(transactional_db: None) -> Iterator[Instance]:
    """A school in a silo, whose address is the pooler's."""
    assert PROGRAM, "KITEHUB_TESTS_NEED_PGBOUNCER is set, and pgbouncer isn't installed"
    school = workflows.open_instance(
        subdomain="sao-mai", organization_name="Sao Mai", owner=UserFactory(), actor="t", silo=True
    ).instance
    close_all()
    folder = Path(tempfile.mkdtemp(prefix="kitehub-pooler-"))
    pooler = _start(folder, school.database_username)
    name = tenancy.database_of(school)
    url = f"postgres://{quote(str(folder), safe='')}:6432/{name}"
    Instance.objects.filter(pk=school.pk).update(database_url=url)
    school.refresh_from_db()
    try:
        yield school
    finally:
        close_all()
        pooler.terminate()
        pooler.wait(30)
        shutil.rmtree(folder)
        with provisioning.administration() as admin:
            provisioning.drop(admin, name, school.database_username)
            provisioning.drop_templates(admin)


def _start(folder: Path, role: str) -> "subprocess.Popen[bytes]":
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role])
        ((verifier,),) = cursor.fetchall()
    host, port = (connection.settings_dict[name] for name in ("HOST", "PORT"))
    told = {"host": host, "port": port or 5432, "folder": folder, "size": POOL_SIZE}
    (folder / "config").write_text(CONFIG.format(**told))
    (folder / "users").write_text(f'"{role}" "{verifier}"\n')
    account = identity.server_account(folder)
    account.own(folder)  # root it refuses to run as
    for name in ("config", "users"):
        (folder / name).chmod(0o644)
    assert PROGRAM
    how = {"cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([PROGRAM, folder / "config"], **how, **account.popen)
    wait_until(lambda: (folder / ".s.PGSQL.6432").exists() or process.poll() is not None)
    assert process.poll() is None, (folder / "log").read_text()
    return process


def ask(alias: str, sql: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _upload() -> None:
    StorageEvent.objects.create(
        file_type="IMAGE", file_name="a", file_url="u", file_size_bytes=1, operation="UPLOAD"
    )


def _undo(alias: str) -> None:
    """Writes to a savepoint that is rolled back."""
    with transaction.atomic(using=alias):
        _upload()
        transaction.set_rollback(True, using=alias)


def work(school: Instance, name: str) -> int:
    """What requests do: reads, writes, savepoints, transactions with an actor of their own."""
    read = 0
    try:
        for number in range(ROUNDS):
            with tenancy.use(school):
                GuestEvent.objects.create(session_id=name, event_type="page_view")
                with tenancy.atomic() as alias, acting(name, using=alias):
                    _upload()
                    _undo(alias)
                # In pages, which a cursor of the session's own would lose between two statements.
                rows = GuestEvent.objects.filter(session_id=name).iterator(chunk_size=2)
                read = len(list(rows))
                assert read == number + 1
                actor = "SELECT coalesce(current_setting('kitehub.actor', true), '')"
                assert ask(alias, actor) == [("",)]
                assert ask(alias, "SHOW TimeZone") == [("UTC",)]
    finally:
        connections.close_all()
    return read


def test_threads_share_fewer_connections_and_nothing_of_one_reaches_another(
    pooled: Instance,
) -> None:
    names = [f"thread {number}" for number in range(THREADS)]
    assert together(*(partial(work, pooled, name) for name in names)) == [ROUNDS] * THREADS
    with tenancy.use(pooled):
        assert StorageUsage.objects.get().used_bytes == THREADS * ROUNDS
        for name in names:
            assert StorageEvent.objects.filter(created_by=name).count() == ROUNDS
    sessions = (
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        f" AND datname = '{tenancy.database_of(pooled)}'"
    )
    ((count,),) = ask("default", sessions)
    assert 1 <= count <= POOL_SIZE


def test_control_what_a_session_keeps_reaches_another_client(pooled: Instance) -> None:
    def keep(name: str) -> bool:
        alias = tenancy.alias_of(pooled)
        try:
            for _ in range(100):
                ask(alias, f"SELECT set_config('kitehub.kept', '{name}', false)")
                if ask(alias, "SELECT current_setting('kitehub.kept')") != [(name,)]:
                    return False
            return True
        finally:
            connections.close_all()

    assert False in together(*(partial(keep, str(number)) for number in range(THREADS)))


def test_options_at_the_start_of_a_session_are_refused_unless_the_pooler_is_told(
    pooled: Instance,
) -> None:
    alias = tenancy.alias_of(pooled)
    connections[alias].close()
    try:
        connections.settings[alias]["OPTIONS"] = {"options": "-c statement_timeout=5000"}
        with pytest.raises(Error, match="unsupported startup parameter"):
            ask(alias, "SELECT 1")
    finally:
        connections[alias].close()
        connections.settings[alias]["OPTIONS"] = {}
