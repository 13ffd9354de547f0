"""Processes of the project that use a database, for tests of what outlives a process."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import psutil

from tests import programs

ROOT = Path(__file__).resolve().parents[3]

# Queries without models need no apps, and loading them takes longer than all the rest.
WITHOUT_APPS = "from django.apps import apps; apps.populate([])\n"
# Answers each line of SQL with the first value, on a new connection each time.
CLIENT = """
import sys
from django.db import connection
for statement in sys.stdin:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        print(cursor.fetchone()[0] if cursor.description else "done", flush=True)
    connection.close()
"""


def environment(data_dir: Path, **variables: str) -> dict[str, str]:
    """The environment of a process of the project whose embedded server is in data_dir."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "DJANGO_DEBUG", "XDG_RUNTIME_DIR"}
    }
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "kitehub.settings",
        "KITEHUB_DATA_DIR": str(data_dir),
        "KITEHUB_EMBEDDED_FSYNC": "off",
        **variables,
    }


def run_code(data_dir: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Runs Python that connects to the database, without any app, until its children end too."""
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_APPS + code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(data_dir),
        timeout=120,
    )
    ended.stderr = without_notices(ended.stderr)
    return ended


def manage(data_dir: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of manage.py to its end."""
    ended = programs.run("manage.py", *arguments, env=environment(data_dir, **variables))
    ended.stderr = without_notices(ended.stderr)
    return ended


def without_notices(errors: str) -> str:
    """What was written to stderr, but for the notices that a slow machine makes us wait."""
    return "".join(
        line for line in errors.splitlines(keepends=True) if not line.endswith("s so far)\n")
    )


class Client:
    """A process that connects when it is asked something."""

    def __init__(self, data_dir: Path, code: str = CLIENT, **variables: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WITHOUT_APPS + code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(data_dir, **variables),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.process.kill()
        self.process.communicate()

    def send(self, statement: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(statement + "\n")
        self.process.stdin.flush()

    def receive(self) -> str:
        assert self.process.stdout
        assert self.process.stderr
        line = self.process.stdout.readline()
        return line.strip() if line else self.process.stderr.read()

    def ask(self, statement: str) -> str:
        self.send(statement)
        return self.receive()

    def complaint(self) -> str:
        """The next line that the process writes to stderr."""
        assert self.process.stderr
        return self.process.stderr.readline()

    def end(self) -> str:
        """Lets the process end by itself; returns what it wrote to stderr, without notices."""
        _, errors = self.process.communicate(timeout=60)
        return without_notices(errors)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def servers(data_dir: Path) -> list[psutil.Process]:
    """The PostgreSQL processes, of any age, that work in a data folder."""
    folder = str((data_dir / "postgres").resolve())
    return [
        process
        for process in psutil.process_iter(["name", "cwd", "status"])
        if process.info["name"] == "postgres"
        and process.info["cwd"] == folder
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def postmaster(data_dir: Path) -> psutil.Process:
    """The server itself, by the id that it wrote down."""
    pid_file = data_dir / "postgres" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().splitlines()[0]))


@contextmanager
def temporary_data_dir() -> Iterator[Path]:
    """A data folder that goes away, with the server that a failed test left on it.

    Not pytest's: as root, any other run of pytest closes that one to the server's user.
    """
    with tempfile.TemporaryDirectory(prefix="kitehub-tests-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        yield folder
        for process in servers(folder):
            with suppress(psutil.NoSuchProcess):
                process.kill()
