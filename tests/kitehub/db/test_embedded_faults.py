"""Whatever was killed, half-written or deleted, the next connection finds a server that works."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.kitehub.db.clients import Client, postmaster, servers

STARTED = "SELECT pg_postmaster_start_time()"
KEPT = "SELECT count(*) FROM kept"


def keep_a_row(client: Client) -> None:
    # The tests' server commits late; this row is to survive its being killed.
    assert client.ask("SET synchronous_commit = on; CREATE TABLE kept AS SELECT 1") == "done"


def until(condition: Callable[[], object]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("what the test waits for did not happen")


def test_killed_owner_does_not_keep_the_server_running_for_ever(data_dir: Path) -> None:
    with Client(data_dir) as owner:
        started = owner.ask(STARTED)
        owner.kill()
    with Client(data_dir) as heir:
        assert heir.ask(STARTED) == started
        heir.end()
    assert servers(data_dir) == []


def test_killed_server_is_started_again_by_whoever_comes_first(data_dir: Path) -> None:
    with Client(data_dir) as starter, Client(data_dir) as other:
        started = starter.ask(STARTED)
        keep_a_row(starter)
        # Until the starter looks, its killed child is a zombie that still has the process id.
        postmaster(data_dir).kill()
        again = other.ask(STARTED)
        assert again != started
        assert other.ask(KEPT) == "1"
        # The starter knew the server that was killed.
        assert starter.ask(STARTED) == again
        assert starter.end() == other.end() == ""
    assert servers(data_dir) == []


def test_busy_backend_of_a_killed_server_does_not_block_the_next(data_dir: Path) -> None:
    with Client(data_dir) as busy, Client(data_dir) as other:
        busy.ask("SELECT 1")
        busy.send("SELECT count(*) FROM generate_series(1, 1e12)")
        active = (
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%1e12%' AND state='active'"
        )
        until(lambda: other.ask(active) == "2")  # itself is one
        killed = postmaster(data_dir)
        killed.kill()
        assert other.ask("SELECT 'served'") == "served"
        other.end()


def test_stale_postmaster_file_is_not_believed(data_dir: Path) -> None:
    pid_file = data_dir / "postgres" / "postmaster.pid"
    with Client(data_dir) as client:
        keep_a_row(client)
        lines = pid_file.read_text().splitlines(keepends=True)
        client.end()
    stale = {
        # The id was given to a program that has nothing to do with it: this one.
        "another process": f"{os.getpid()}\n".encode() + "".join(lines[1:]).encode(),
        "half-written": "".join(lines[:2]).encode(),
        "empty": b"",
        "no text": b"\xff\xfe\x00",
    }
    for kind, content in stale.items():
        pid_file.write_bytes(content)
        with Client(data_dir) as client:
            assert client.ask(KEPT) == "1", kind
            # Killed with its server, so that the next finds what both leave behind.
            postmaster(data_dir).kill()
            client.kill()
    with Client(data_dir) as client:
        assert client.ask(KEPT) == "1"
        assert client.end() == ""
    assert servers(data_dir) == []


def test_process_killed_while_it_makes_the_folder_leaves_nothing_in_the_way(data_dir: Path) -> None:
    with Client(data_dir) as killed:
        killed.send(STARTED)
        until(lambda: list(data_dir.glob("postgres.unfinished-*/PG_VERSION")))
        killed.kill()
    with Client(data_dir) as client:
        assert client.ask("SELECT 1") == "1"
        assert client.end() == ""


def test_slow_recovery_is_waited_for_and_said_also_after_the_starter_was_killed(
    data_dir: Path,
) -> None:
    with Client(data_dir) as client:
        keep_a_row(client)
        client.end()
    # A standby that may not be read refuses connections as a recovering server does, until told.
    folder = data_dir / "postgres"
    with (folder / "postgresql.auto.conf").open("a") as settings:
        settings.write("hot_standby = off\n")
    (folder / "standby.signal").touch()
    os.chown(folder / "standby.signal", folder.stat().st_uid, folder.stat().st_gid)
    with Client(data_dir) as starter, Client(data_dir) as other:
        starter.send(KEPT)
        assert "PostgreSQL is starting" in starter.complaint()
        other.send(KEPT)
        assert "Another process starts or stops PostgreSQL" in other.complaint()
        starter.kill()
        assert "PostgreSQL is not ready yet" in other.complaint()
        (folder / "promote").touch()
        os.chown(folder / "promote", folder.stat().st_uid, folder.stat().st_gid)
        postmaster(data_dir).send_signal(signal.SIGUSR1)
        assert other.receive() == "1"
        other.end()
    assert servers(data_dir) == []


def test_folder_deleted_under_a_server_is_made_anew_and_not_stopped_by_the_old_users(
    data_dir: Path,
) -> None:
    with Client(data_dir) as before, Client(data_dir) as after:
        before.ask(STARTED)
        forsaken = postmaster(data_dir)
        for path in data_dir.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        started = after.ask(STARTED)
        before.end()
        assert after.ask(STARTED) == started
        after.end()
        # Within a minute a server notices by itself that its folder is gone.
        with suppress(psutil.NoSuchProcess):
            forsaken.kill()
    assert servers(data_dir) == []
