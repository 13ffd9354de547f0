"""Workers in processes of their own, which can be killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from tests.concurrency.threads import PATIENCE
from tests.kitehub.db.clients import ROOT
from tests.migrations.databases import url

# `manage.py worker`, in which one function says so once it is called, and waits for a line on
# stdin before it goes on.
_WORKER = """
import sys
from kitehub.management.cli import execute
import django
django.setup()
from {module} import {object} as place
was = place.{function}
def slowly(*args, **said):
    print("in the middle", flush=True)
    sys.stdin.readline()
    return was(*args, **said)
place.{function} = slowly
execute(["manage.py", "worker"])
"""


class Process:
    """A worker in a process of its own, which has taken the job and stands in its middle."""

    def __init__(self, where: str) -> None:
        module, place, function = where.rsplit(".", 2)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WORKER.format(module=module, object=place, function=function)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url(connection), "DJANGO_DEBUG": "on"}
            | {"DJANGO_SETTINGS_MODULE": "kitehub.settings"},
        )
        assert self.process.stdout
        for line in self.process.stdout:
            if "in the middle" in line:
                break

    def end(self, said: str | None = None) -> tuple[int, str, str]:
        out, errors = self.process.communicate(said, timeout=PATIENCE)
        return self.process.returncode, out, errors


@contextmanager
def process(where: str) -> Iterator[Process]:
    """One that stops at a function, by its whole name."""
    started = Process(where)
    try:
        yield started
    finally:
        started.process.kill()
        with started.process:  # closes its pipes
            pass


def silent_for_long() -> None:
    """Its worker has not been heard of for long, and the next minute has begun."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 s'")
        # Its duties have not been put into the queue yet.
        cursor.execute("DELETE FROM procrastinate_periodic_defers")
