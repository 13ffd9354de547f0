"""Which processes of the operating system are a PostgreSQL on a given data folder.

Found by what they work in or were started with, never by a process id from a file: ids outlive
their process and are given to others.
"""

import contextlib
import signal
from pathlib import Path

import psutil


def working_in(folder: Path) -> list[psutil.Process]:
    """Every live process of a server on the folder, and of one that was deleted at its path."""
    return [process for process in _postgres() if _works_in(process, folder)]


def postmaster_of(folder: Path) -> psutil.Process | None:
    """The server itself, if it lives."""
    processes = working_in(folder)
    ids = {process.pid for process in processes}
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            # A backend whose server was killed is nobody's child: its title tells it apart.
            if process.ppid() not in ids and not _is_backend(process):
                return process
    return None


def remains_of(folder: Path, uid: int | None) -> list[psutil.Process]:
    """What still runs of a server on the folder that was killed.

    Root in a container may not see what others' processes work in. There, every backend of the
    server's user `uid` that has lost its server counts: whosever it was, it is of no use.
    """
    remains = working_in(folder)
    servers = {process.pid for process in _postgres() if not _is_backend(process)}
    for process in _postgres():
        with contextlib.suppress(psutil.NoSuchProcess):
            hidden = process.info["cwd"] is None and _is_backend(process)
            if hidden and process.uids().real == uid and process.ppid() not in servers:
                remains.append(process)
    return remains


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still does anything; a zombie doesn't."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def send(process: psutil.Process, number: signal.Signals) -> None:
    """Sends a signal to a process that may have ended meanwhile."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _postgres() -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["name", "cwd", "cmdline", "status"])
        if (process.info["name"] or "").startswith("postgres")
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def _works_in(process: psutil.Process, folder: Path) -> bool:
    if process.info["cwd"] is None:
        return str(folder) in (process.info["cmdline"] or ())
    return bool(process.info["cwd"] == str(folder))


def _is_backend(process: psutil.Process) -> bool:
    command = process.info["cmdline"]
    return bool(command) and command[0].startswith("postgres: ")
