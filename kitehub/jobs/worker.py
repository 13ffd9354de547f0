"""A worker: takes jobs out of the queue and runs them, until it is told to stop."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from procrastinate.app import WorkerOptions
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.job_context import JobContext
from procrastinate.middleware import SyncCallNext
from procrastinate.psycopg_connector import PsycopgConnector

from kitehub.jobs import services
from kitehub.tenancy.connections import close_all

logger = logging.getLogger("kitehub.jobs.worker")

# How long a thread's connection lasts, and how often a statement runs before it is prepared.
KEPT_SECONDS = 60
PREPARE_THRESHOLD = 5
_used: set[BaseDatabaseWrapper] = set()
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NoQueue(Exception):
    """The database has no queue, because `migrate` hasn't run."""


class WorkerFailed(Exception):
    """The worker lost its database, and ended without being told to."""


@contextmanager
def staying_connected() -> Iterator[None]:
    """Threads keep their connections to the platform from job to job, while the block runs.

    For a minute, with the statements that the server has prepared there, unless the database's
    address says otherwise. An address of a worker names the server itself, no pooler.
    """
    platform = connections.settings[DEFAULT_DB_ALIAS]
    before = dict(platform)
    platform["CONN_MAX_AGE"] = platform["CONN_MAX_AGE"] or KEPT_SECONDS
    platform["CONN_HEALTH_CHECKS"] = True
    platform["OPTIONS"] = {"prepare_threshold": PREPARE_THRESHOLD, **platform["OPTIONS"]}
    try:
        yield
    finally:
        platform.update(before)
        while _used:
            wrapper = _used.pop()
            wrapper.inc_thread_sharing()  # its thread works no more
            wrapper.close()


class Worker:
    """Runs jobs, `concurrency` at once, each in a thread with connections of its own.

    With `once` it ends when no job is due. Several in one process would share procrastinate's app,
    so a process has one.
    """

    def __init__(
        self, *, concurrency: int = 1, queues: Iterable[str] = (), once: bool = False
    ) -> None:
        self.concurrency = concurrency
        self.once = once
        self.options: WorkerOptions = {
            "concurrency": concurrency,
            "wait": not once,
            "install_signal_handlers": False,
            "task_middleware": [*app.worker_defaults.get("task_middleware", []), _finish],
        }
        if queues:
            self.options["queues"] = list(queues)
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: asyncio.Task[None] | None = None

    def run(self, *, signals: Iterable[signal.Signals] = ()) -> None:
        """Works until `stop()`, or one of the signals, and then lets the running jobs finish.

        Signals need the main thread. Raises NoQueue, WorkerFailed, and what connecting raises.
        """
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("SELECT to_regclass('job_failures')")
            if cursor.fetchone()[0] is None:
                raise NoQueue("The database has no queue of jobs. Run manage.py migrate first.")
        connections[DEFAULT_DB_ALIAS].close()  # jobs have connections of their own
        asyncio.run(self._main(tuple(signals)))

    def stop(self) -> None:
        """Takes no new job from now on; any thread may call it, also before `run`."""
        self._stopping.set()
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        # Once: procrastinate takes it for a wish, and a second one for an order.
        if self._work is not None and not self._work.cancelling():
            self._work.cancel()

    async def _main(self, signals: tuple[signal.Signals, ...]) -> None:
        self._loop = asyncio.get_running_loop()
        for number in signals:
            self._loop.add_signal_handler(number, self.stop)
        try:
            with app.replace_connector(_connector(self.concurrency)):
                async with app.open_async():
                    await self._until_stopped()
        finally:
            self._loop = None

    async def _until_stopped(self) -> None:
        self._work = asyncio.create_task(app.run_worker_async(**self.options))
        if self._stopping.is_set():
            self._cancel()
        try:
            await self._work
        except asyncio.CancelledError:
            if not self._stopping.is_set():
                raise
        else:
            if not self.once:
                raise WorkerFailed("The worker lost its database.")


def _finish(call_next: SyncCallNext, context: JobContext, worker: Any) -> Any:
    """Runs a job in its thread: keeps its error where staff see it, and leaves no silo connected.

    procrastinate only logs errors. A worker at rest must not keep anybody from moving or dropping a
    silo's database.
    """
    try:
        return call_next()
    except Exception as error:
        assert context.job.id is not None  # noqa: S101 - it comes from the queue
        try:
            services.record_failure(job_id=context.job.id, error=error)
        except Exception:
            logger.exception("The error of job %s could not be kept", context.job.id)
        raise
    finally:
        close_all()
        _used.add(connections[DEFAULT_DB_ALIAS])


def _connector(concurrency: int) -> PsycopgConnector:
    """The worker's own connections to the queue: one listens, the others fetch and report."""
    return PsycopgConnector(
        kwargs=connector_params(DEFAULT_DB_ALIAS),
        min_size=1,
        max_size=concurrency + 2,
        configure=_assuming(connections[DEFAULT_DB_ALIAS].settings_dict["OPTIONS"]),
    )


def _assuming(options: dict[str, Any]) -> Callable[[psycopg.AsyncConnection[Any]], Any] | None:
    """What Django does on connecting, where the settings name another role."""
    role = options.get("assume_role")
    if not role:
        return None

    async def assume(connection: psycopg.AsyncConnection[Any]) -> None:
        statement = psycopg.sql.SQL("SET ROLE {}").format(psycopg.sql.Identifier(role))
        await connection.execute(statement)
        await connection.commit()

    return assume
