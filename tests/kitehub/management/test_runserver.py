"""However `manage.py runserver` ends, nothing that it started stays."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil
import pytest

from tests.kitehub.db.clients import ROOT, Client, environment, manage, servers

STARTED = "SELECT pg_postmaster_start_time()"
RELOADER = pytest.mark.parametrize("reloader", [[], ["--noreload"]], ids=["reloader", "noreload"])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


class Serving:
    """A runserver in a process group of its own, as in a terminal; made once it serves."""

    def __init__(self, data_dir: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=environment(data_dir, PYTHONUNBUFFERED="1"),
            start_new_session=True,
        )
        assert self.process.stdout
        said = ""
        for line in self.process.stdout:
            said += line
            if re.match("Quit the server", line):
                break
        else:
            pytest.fail(said)
        parent = psutil.Process(self.process.pid)
        # Of manage.py only: the server is looked for by its folder.
        children = [each for each in parent.children() if "manage.py" in each.cmdline()]
        self.family = [parent, *children]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        for process in self.left:
            process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()

    def end(self, number: signal.Signals, *, group: bool) -> int:
        (os.killpg if group else os.kill)(self.process.pid, number)
        self.process.communicate(timeout=60)
        psutil.wait_procs(self.family, timeout=30)
        return self.process.returncode

    @property
    def left(self) -> list[psutil.Process]:
        return [process for process in self.family if process.is_running()]


@RELOADER
def test_taken_port_is_one_line_and_ends_the_server(
    data_dir: Path, taken_port: int, reloader: list[str]
) -> None:
    ended = manage(data_dir, "runserver", str(taken_port), *reloader)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        f"error: Port {taken_port} on 127.0.0.1 is in use. Free it, or name another: "
        f"manage.py runserver {taken_port + 1}"
    )
    assert "Traceback" not in ended.stderr
    assert (data_dir / "postgres" / "PG_VERSION").exists()
    assert servers(data_dir) == []


def test_address_of_another_machine_is_one_line_and_ends_the_server(data_dir: Path) -> None:
    ended = manage(data_dir, "runserver", "192.0.2.1:8000", "--noreload")
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: 192.0.2.1:8000 can't be served: ")
    assert ended.stderr.count("\n") == 1
    assert servers(data_dir) == []


@pytest.mark.parametrize(
    ("number", "group", "code"),
    [(signal.SIGINT, True, 0), (signal.SIGINT, False, 0), (signal.SIGTERM, False, 143)],
    ids=["Ctrl-C", "SIGINT", "SIGTERM"],
)
def test_ended_reloader_ends_its_child_and_the_server(
    data_dir: Path, number: signal.Signals, group: bool, code: int
) -> None:
    with Serving(data_dir) as serving:
        assert len(serving.family) == 2
        assert servers(data_dir) != []
        assert serving.end(number, group=group) == code
        assert serving.left == []
    assert servers(data_dir) == []


def test_ended_runserver_without_reloader_ends_the_server(data_dir: Path) -> None:
    with Serving(data_dir, "--noreload") as serving:
        assert servers(data_dir) != []
        assert serving.end(signal.SIGTERM, group=False) == 143
    assert servers(data_dir) == []


def test_server_stays_for_another_process_when_runserver_ends(data_dir: Path) -> None:
    with Serving(data_dir) as serving, Client(data_dir) as other:
        started = other.ask(STARTED)
        serving.end(signal.SIGTERM, group=False)
        assert other.ask(STARTED) == started
        other.end()
    assert servers(data_dir) == []
