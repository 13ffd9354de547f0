"""A PostgreSQL of a test's own, to be killed: of the version under test, gone when the test is."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from psycopg import pq
from psycopg.conninfo import make_conninfo

from kitehub.db.backends.embedded import identity
from kitehub.db.backends.embedded.cluster import program
from kitehub.db.backends.embedded.processes import is_alive
from kitehub.db.backends.postgresql.base import DatabaseWrapper
from tests.concurrency.threads import PATIENCE, Background

LONG = 4 * PATIENCE  # a server is started and migrated, on a machine that may be busy

# A killed process leaves with the kernel what it has written, so only a power failure would need
# fsync, and no test pulls the plug. Two settings must be as in production: synchronous_commit,
# because the log has to be *written* before a commit is acknowledged, and full_page_writes, because
# a kill can end a page's write halfway.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "listen_addresses": "",
    # Nothing but the writers, the WAL writer and checkpoints at a start is to write the log.
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "bgwriter_lru_maxpages": "0",
}


def programs(major: int) -> Path:
    """The folder of that version's programs; of the embedded server's, where it isn't installed."""
    candidates = [Path(f"/usr/lib/postgresql/{major}/bin")]
    if config := shutil.which("pg_config"):
        said = subprocess.run([config, "--bindir", "--version"], capture_output=True, text=True)
        folder, _, version = said.stdout.strip().partition("\n")
        if version.startswith(f"PostgreSQL {major}."):
            candidates.append(Path(folder))
    there = [folder for folder in candidates if (folder / "postgres").exists()]
    return [*there, program("postgres").parent][0]


class OwnServer:
    """One data folder and the server on it; `address` is a libpq conninfo."""

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self.bin = bin_folder
        self.folder = folder
        self.data = folder / "data"
        self.address = make_conninfo(host=str(folder), port=5432, user="postgres", dbname="kill")
        self._postmaster: subprocess.Popen[bytes] | None = None
        self._account = identity.server_account(folder)
        self._account.own(folder)
        # Where the tests run as root, the server's user may not yet reach the programs.
        self._account.make_reachable(self.data, self.bin / "postgres")
        self._how: dict[str, Any] = {
            "cwd": "/",
            "env": {**os.environ, "LC_ALL": "C", "TZ": "UTC"},
            **self._account.popen,
        }

    def make(self) -> None:
        """Starts on a new folder, with an empty database."""
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        command = [self.bin / "initdb", "-D", self.data, *options]
        subprocess.run(command, check=True, capture_output=True, **self._how)
        self.start()
        self.execute("CREATE DATABASE kill", database="postgres")

    def start(self, **more: str) -> None:
        """Starts on what is there; returns when the server takes connections."""
        # What died was seen to be dead, and its process id may be another's by now.
        for remains in (self.data / "postmaster.pid", self.folder / ".s.PGSQL.5432.lock"):
            remains.unlink(missing_ok=True)
        options = [f"--{name}={value}" for name, value in {**SETTINGS, **more}.items()]
        log_path = self.folder / "log"
        with log_path.open("ab") as log:
            self._postmaster = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, "-k", self.folder, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._how,
            )
        address = self.address.encode()
        wait_until(lambda: pq.PGconn.ping(address) == pq.Ping.OK or self._ended())
        assert not self._ended(), log_path.read_text(errors="replace")[-2000:]

    def kill(self) -> None:
        """Kills the postmaster and all its children with SIGKILL; returns when all are dead."""
        assert self._postmaster is not None
        postmaster = psutil.Process(self._postmaster.pid)
        # Held still first, or a child that it starts meanwhile would be missed.
        hold(postmaster)
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            if is_alive(process):
                process.kill()
        self._postmaster.wait(LONG)
        self._postmaster = None
        # Orphans may stay zombies where nobody reaps them.
        wait_until(lambda: not any(map(is_alive, family)))

    def kill_a_writer(self) -> None:
        """Kills one backend in the midst of its work: PostgreSQL ends all others, and recovers."""

        def killed() -> bool:
            found = self.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND state <> 'idle' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"
            )
            for (pid,) in found:
                os.kill(pid, signal.SIGKILL)
            return bool(found)

        wait_until(killed)

    def hold_the_wal_writer(self) -> None:
        """Stops the process that writes the log for those that don't wait for it."""
        asleep = (
            "SELECT pid FROM pg_stat_activity"
            " WHERE backend_type = 'walwriter' AND wait_event = 'WalWriterMain'"
        )

        def held() -> bool:
            for (pid,) in self.execute(asleep):
                # Asleep it holds no lock; that it slept until it was stopped is seen afterwards.
                process = psutil.Process(pid)
                hold(process)
                if self.execute(asleep):
                    return True
                process.resume()
            return False

        wait_until(held)

    def stop(self) -> None:
        """Ends the server, whatever state it is in, and frees its shared memory."""
        if self._postmaster is not None and not self._ended():
            self._postmaster.send_signal(signal.SIGQUIT)
            try:
                self._postmaster.wait(LONG)
                self._postmaster = None
            except subprocess.TimeoutExpired:
                self.kill()

    def execute(self, statement: str, *, database: str = "kill") -> list[tuple[Any, ...]]:
        """Runs SQL as it stands on a connection of its own; returns its rows if it has any."""
        address = make_conninfo(self.address, dbname=database)
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def at_work(self, work: Callable[[], Any], **session: str) -> Background:
        """Starts work in a thread whose default connection is to this server."""

        def run() -> Any:
            there = {"NAME": "kill", "HOST": str(self.folder), "PORT": "5432", "USER": "postgres"}
            options = " ".join(f"-c {name}={value}" for name, value in session.items())
            connections["default"] = DatabaseWrapper(
                {
                    **settings.DATABASES["default"],
                    **there,
                    "PASSWORD": "",
                    "OPTIONS": {"options": options},
                },
                "default",
            )
            return work()

        return Background(run)

    def _ended(self) -> bool:
        return self._postmaster is not None and self._postmaster.poll() is not None


def migrate() -> None:
    """Brings the default connection's database to the newest migration."""
    executor = MigrationExecutor(connections["default"])
    executor.migrate(executor.loader.graph.leaf_nodes())


def hold(process: psutil.Process) -> None:
    """Returns when the process stands still."""
    process.suspend()
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED or not is_alive(process))


def wait_until(done: Callable[[], bool]) -> None:
    """Returns once it is so; a test that hangs fails here."""
    deadline = time.monotonic() + LONG
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@contextmanager
def own_server(major: int) -> Iterator[OwnServer]:
    """A server with KiteHub's schema, ended and removed afterwards."""
    # Not in pytest's own folder, which other users can't enter.
    folder = Path(tempfile.mkdtemp(prefix="kitehub-kill-"))
    server = OwnServer(folder, programs(major))
    try:
        server.make()
        assert server.at_work(migrate).join(LONG) is None
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
