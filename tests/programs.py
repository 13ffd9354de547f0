"""Programs of the project in processes of their own, without what Python takes to start.

`run` does what `subprocess.run` does with `python manage.py …` or `python -c …`. Its process is
forked from one that has imported the libraries and nothing of ours: no settings, no connection, no
thread. That is half of what a command of manage.py costs. Who needs pipes, signals or a terminal
starts a process as usual.
"""

import atexit
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import types
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Those that look at no settings when they are imported.
LIBRARIES = [
    *("cryptography.fernet", "environ", "psutil", "psycopg", "psycopg.types.json", "pydantic"),
    *("django.contrib.admin", "django.contrib.postgres.fields", "django.contrib.postgres.indexes"),
    *("django.contrib.staticfiles.management.commands.runserver", "django.forms"),
    *("django.core.management.commands.migrate", "django.db.backends.postgresql.base"),
    *("django.template.defaulttags", "django.template.loader_tags", "django.views.generic"),
    *("procrastinate.contrib.django", "unfold", "whitenoise.middleware"),
]

_forks: dict[int, socket.socket] = {}


def run(
    *arguments: str, env: Mapping[str, str], timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Runs Python with these arguments in the project's folder, to its end, without input.

    Raises TimeoutExpired after so many seconds; the process is killed then.
    """
    with (
        tempfile.TemporaryFile("w+") as order,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as errors,
    ):
        json.dump({"arguments": arguments, "env": dict(env)}, order)
        order.seek(0)
        status, theirs = os.pipe()
        with os.fdopen(status) as said:
            files = [order.fileno(), out.fileno(), errors.fileno(), theirs]
            socket.send_fds(_fork_server(), [b"!"], files)
            os.close(theirs)
            pid = int(said.readline())
            if not select.select([said], [], [], timeout)[0]:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(arguments), timeout)
            code = os.waitstatus_to_exitcode(int(said.readline()))
        out.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(list(arguments), code, out.read(), errors.read())


def _fork_server() -> socket.socket:
    """The way to the process that others are forked from; it ends with this one."""
    # By process, since a fork of this one would share the socket.
    if os.getpid() not in _forks:
        ours, theirs = socket.socketpair()
        with theirs:
            server = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
            )
        _forks[os.getpid()] = ours
        atexit.register(_end, ours, server)
    return _forks[os.getpid()]


def _end(way: socket.socket, server: subprocess.Popen[bytes]) -> None:
    way.close()
    server.wait()


# --- In the process that is forked from --------------------------------------------------------


def _ordered(orders: socket.socket) -> list[int]:
    """Returns in a new process for each order, with the files that came with it."""
    while True:
        try:
            word, files, _, _ = socket.recv_fds(orders, 1, 4)
        except KeyboardInterrupt:
            word = b""
        if not word:
            os._exit(0)
        between = os.fork()
        if not between:
            *ours, status = files
            child = os.fork()
            if not child:
                os.close(status)
                orders.close()
                return ours
            try:
                os.write(status, f"{child}\n".encode())
                os.write(status, f"{_end_of(child)}\n".encode())
            finally:
                os._exit(0)
        for file in files:
            os.close(file)
        _reap()


def _end_of(child: int) -> int:
    while True:
        try:
            return os.waitpid(child, 0)[1]
        except KeyboardInterrupt:
            continue  # it is the child's, too


def _reap() -> None:
    while True:
        try:
            if not os.waitpid(-1, os.WNOHANG)[0]:
                return
        except ChildProcessError:
            return


def _become(order: int, out: int, errors: int) -> None:
    """Turns into what Python would be with the order's arguments and environment."""
    with os.fdopen(order) as said:
        wanted = json.load(said)
    for file, standard in ((out, 1), (errors, 2)):
        os.dup2(file, standard)
        os.close(file)
    os.environ.clear()
    os.environ.update(wanted["env"])
    first, *rest = wanted["arguments"]
    if first == "-c":
        sys.argv, sys.path[0] = ["-c", *rest[1:]], ""
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec"), main.__dict__)  # noqa: S102 - as python -c does
    else:
        sys.argv, sys.path[0] = [first, *rest], str(ROOT)
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    _become(*_ordered(socket.socket(fileno=int(sys.argv[1]))))
