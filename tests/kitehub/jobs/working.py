"""Workers as a test has them: in this process, on the test's database."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection
from procrastinate.contrib.django import app, procrastinate_app
from procrastinate.periodic import PeriodicRegistry

from kitehub.jobs.worker import Worker
from tests.concurrency.threads import PATIENCE


@contextmanager
def task(work: Callable[..., Any], **options: Any) -> Iterator[str]:
    """A task for the time of the test; yields its name."""
    name = f"tests.{work.__name__}"
    app.task(name=name, **options)(work)
    try:
        yield name
    finally:
        del app.tasks[name]


def run_due() -> None:
    """Runs every job that is due, one after another, and starts no periodic one."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            Worker(once=True).run()
        except BaseException as error:
            failure.append(error)
        finally:
            connection.close()

    with patch.object(procrastinate_app.current_app, "periodic_registry", PeriodicRegistry()):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join(PATIENCE)
    assert not thread.is_alive(), "the worker is stuck"
    if failure:
        raise failure[0]


@contextmanager
def working(**options: Any) -> Iterator[Worker]:
    """A worker beside the test, which is told to stop at its end."""
    worker = Worker(**options)

    def run() -> None:
        try:
            worker.run()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the worker is stuck"


def wait_until(true: Callable[[], bool]) -> None:
    """Returns as soon as something is so."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def jobs(task: str = "") -> list[tuple[str, str, int]]:
    """The jobs of a task, or of all that aren't periodic: task, state and attempts, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT task_name, status::text, attempts FROM procrastinate_jobs job"
            " WHERE (task_name = %s OR %s = '') AND NOT args ? 'timestamp' ORDER BY id",
            [task, task],
        )
        return cursor.fetchall()


def states(task: str = "") -> list[str]:
    """Only their states."""
    return [state for _, state, _ in jobs(task)]
