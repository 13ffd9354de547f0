"""Killing PostgreSQL under sixteen writers loses nothing that was acknowledged, and counts once."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid4

import psutil
import psycopg
import pytest

from kitehub.db.backends.embedded.cluster import Address, Cluster
from tests.concurrency.storage_writers import SIZE
from tests.concurrency.threads import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A durable server of the test's own."""
    monkeypatch.setenv("KITEHUB_EMBEDDED_FSYNC", "on")
    # Not pytest's own folder: every other run that begins closes that to PostgreSQL's user.
    with tempfile.TemporaryDirectory(prefix="kitehub-kill-") as folder:
        made = Cluster(Path(folder))
        made.bring_up()
        try:
            yield made
        finally:
            made.stop()


class Writers:
    """The program of the sixteen writers, and what it has said."""

    def __init__(self, environment: dict[str, str], instances: list[UUID]) -> None:
        self.done: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.concurrency.storage_writers", *map(str, instances)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.done.append(line.split()[1])

    def wait_for_more(self, count: int = 100) -> None:
        """Returns once so many more uploads were acknowledged."""
        goal, deadline = len(self.done) + count, time.monotonic() + 2 * PATIENCE
        while len(self.done) < goal:
            assert self.process.poll() is None, "the writers have ended"
            assert time.monotonic() < deadline, "the writers are stuck"
            time.sleep(0.02)

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.stdin = None
        assert self.process.wait(PATIENCE) == 0

    def close(self) -> None:
        """Ends the program, whatever it does, and reads what it still said."""
        self.process.kill()
        self._reader.join(PATIENCE)
        self.process.communicate()


def kill_a_backend(address: Address) -> None:
    """Kills one that is writing: PostgreSQL then ends all others and recovers."""
    with psycopg.connect(address.conninfo("kill"), autocommit=True) as connection:
        ((pid,),) = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND pid <> pg_backend_pid() AND state <> 'idle' LIMIT 1"
        ).fetchall()
        os.kill(pid, signal.SIGKILL)


def kill_the_server(cluster: Cluster) -> Address:
    """Kills the postmaster, and starts the server again on what is left."""
    pid_file = cluster.folder / "postmaster.pid"
    postmaster = psutil.Process(int(pid_file.read_text().splitlines()[0]))
    postmaster.kill()
    postmaster.wait(PATIENCE)
    return cluster.bring_up()


def test_kills_lose_nothing_acknowledged_and_count_nothing_twice(cluster: Cluster) -> None:
    address = cluster.bring_up()
    url = f"postgres://postgres@{quote(address.host, safe='')}:{address.port}/kill"
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "kitehub.settings"}
    with psycopg.connect(address.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE kill")
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True
    )
    instances = [uuid4(), uuid4()]
    with psycopg.connect(address.conninfo("kill")) as connection:
        for instance in instances:
            connection.execute(
                "INSERT INTO storage_usage (instance_id, limit_bytes) VALUES (%s, 1000000000)",
                [instance],
            )
        # So that the recovery after the first kill has little to do.
        connection.commit()
        connection.execute("CHECKPOINT")

    writers = Writers(environment, instances)
    try:
        writers.wait_for_more()
        kill_a_backend(address)
        writers.wait_for_more()
        address = kill_the_server(cluster)
        writers.wait_for_more()
        kill_a_backend(address)
        writers.wait_for_more()
        writers.end()
    finally:
        writers.close()

    with psycopg.connect(address.conninfo("kill")) as connection:
        files = [
            name
            for (name,) in connection.execute("SELECT file_name FROM storage_events").fetchall()
        ]
        sums = connection.execute(
            "SELECT used_bytes, (SELECT count(*) FROM storage_events AS event"
            " WHERE event.instance_id = usage.instance_id), reserved_bytes,"
            " (SELECT COALESCE(sum(size_bytes), 0) FROM storage_reservations AS reservation"
            " WHERE reservation.instance_id = usage.instance_id AND status = 'OPEN')"
            " FROM storage_usage AS usage"
        ).fetchall()
    assert set(writers.done) <= set(files), "an acknowledged upload was lost"
    assert len(set(writers.done)) == len(writers.done)
    assert len(set(files)) == len(files), "an upload was written twice"
    assert len(sums) == 2
    for used, count, reserved, open_reservations in sums:
        assert used == count * SIZE, "an event was not counted, or twice"
        assert reserved == open_reservations
