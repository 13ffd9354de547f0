"""One run over many silos: threads, one silo each, and what became of every one."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from io import StringIO
from typing import Any, TextIO, TypeVar

from django.core.management.sql import emit_post_migrate_signal
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext_noop as noop

from kitehub.db import gates, locks
from kitehub.db.errors import SETTING, explain
from kitehub.db.sentences import Sentence
from kitehub.db.versions import MigrationKey
from kitehub.tenancy.connections import bare_connections
from kitehub.tenancy.fanout.canary import Gate, Held, Stopped
from kitehub.tenancy.fanout.plans import STATES, Plan, Plans, Step, applied
from kitehub.tenancy.fanout.silos import Silo
from kitehub.tenancy.placement import OWNERS

logger = logging.getLogger("kitehub.tenancy")

Found = TypeVar("Found")
Look = Callable[[BaseDatabaseWrapper, frozenset[MigrationKey], Sequence[MigrationKey]], None]

# Where the silo's tables are the group's, its other members must be able to change new ones too.
_ITS_ADDRESS = Sentence(noop("the instance's database_url"))
_BECOME_OWNER = """
SELECT set_config('role', owner.rolname, false)
FROM pg_class c JOIN pg_roles owner ON owner.oid = c.relowner
WHERE c.oid = to_regclass('django_migrations') AND owner.rolname = %s
    AND pg_has_role(owner.oid, 'MEMBER')
"""


class State(StrEnum):
    """What became of a silo in a run."""

    UP_TO_DATE = "up to date"
    MIGRATED = "migrated"
    TO_DO = "to do"
    FAILED = "failed"
    HELD = "held back"
    STOPPED = "stopped"


@dataclass
class Result:
    """A silo after a run. `done` stays done also where the next migration failed.

    `steps` are what it lacked, `error` one line on why it failed, never with a password, `notes`
    what its data migrations printed.
    """

    silo: Silo
    state: State = State.UP_TO_DATE
    steps: tuple[Step, ...] = ()
    done: list[MigrationKey] = field(default_factory=list)
    error: str = ""
    cause: Exception | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def left(self) -> list[MigrationKey]:
        """The migrations that the silo still lacks."""
        every = [key for step in self.steps for key in step.migrations]
        return [key for key in every if key not in self.done]


class Fanout:
    """Migrates silos, `jobs` at a time, the first `canaries` before the rest.

    `lock_timeout` is how long a migration queues for a table, in PostgreSQL's words. `look` is
    asked before the first step, with the silo and what is recorded and to do there; it raises what
    stands in the way. With `dry_run` nothing is changed.
    """

    def __init__(
        self,
        *,
        jobs: int = 8,
        canaries: int = 5,
        lock_timeout: str = locks.PATIENCE,
        dry_run: bool = False,
        look: Look = lambda connection, have, keys: None,
    ) -> None:
        self._look = look
        self._jobs = jobs
        self._gate = Gate(canaries)
        self._lock_timeout = lock_timeout
        self._dry_run = dry_run
        self._plans = Plans()
        self._busy: dict[str, BaseDatabaseWrapper] = {}
        self._cancelled = False

    def run(
        self, silos: Sequence[Silo], tell: Callable[[Result], None] = lambda result: None
    ) -> list[Result]:
        """Visits every silo; `tell` gets each result as it comes, in the caller's thread.

        Stops at no failure of a silo. An interrupt lets the silos at work end the migration that
        they are at, tells of them, and goes on to the caller; a second one cancels what they do.
        """
        return run_each(
            silos, self._visit, jobs=self._jobs, tell=tell, stop=self._gate.stop, cancel=self.cancel
        )

    def cancel(self) -> None:
        """Cancels the statements that silos are at, which rolls them back."""
        self._cancelled = True
        for connection in list(self._busy.values()):
            if live := connection.connection:
                live.cancel()

    def _visit(self, silo: Silo) -> Result:
        result = Result(silo)
        connection = connections[silo.alias]
        self._busy[silo.alias] = connection
        try:
            with _prints() as printed:
                self._bring_up_to_date(connection, result)
        except Held:
            result.state = State.HELD
        except Stopped:
            result.state = State.STOPPED
        except Exception as error:
            result.state = State.STOPPED if self._cancelled else State.FAILED
            result.cause = error
            at = f"{'.'.join(result.left[0])}: " if result.left else ""
            result.error = at + explained(error, silo.alias)
        finally:
            del self._busy[silo.alias]
            result.notes = [line.strip() for line in printed.getvalue().splitlines()]
            result.notes = [line for line in result.notes if line]
        return result

    def _bring_up_to_date(self, connection: BaseDatabaseWrapper, result: Result) -> None:
        self._gate.check()
        plan = self._plans.of(connection, applied(connection) or frozenset())
        result.steps = plan.steps
        if not plan.steps:
            return
        if self._dry_run:
            result.state = State.TO_DO
            return
        canary = self._gate.enter()
        try:
            self._migrate(connection, result)
        except BaseException:
            self._gate.leave(canary=canary, succeeded=False)
            raise
        self._gate.leave(canary=canary, succeeded=True)

    def _migrate(self, connection: BaseDatabaseWrapper, result: Result) -> None:
        with (
            locks.turn(
                connection,
                locks.SCHEMA,
                waiting=lambda: logger.warning(
                    "%s: another command is changing its schema; waiting for it.",
                    result.silo.address,
                ),
                pause=self._gate.pause,
            ),
            locks.patience(connection, self._lock_timeout),
            gates.passing(connection),
        ):
            # Another run may have been here since.
            found = applied(connection)
            if found is None:
                MigrationRecorder(connection).ensure_schema()
            plan = self._plans.of(connection, found or frozenset())
            result.steps = plan.steps
            if plan.steps:
                self._look(connection, found or frozenset(), plan.migrations)
                _become_owner(connection)
            for step in plan.steps:
                self._gate.check()
                step.run(connection)
                result.done.extend(step.migrations)
            if plan.steps:
                _tell_receivers(connection.alias, plan)
                result.state = State.MIGRATED


def run_each(
    silos: Sequence[Silo],
    visit: Callable[[Silo], Found],
    *,
    jobs: int,
    tell: Callable[[Found], None],
    stop: Callable[[], None] = lambda: None,
    cancel: Callable[[], None] = lambda: None,
) -> list[Found]:
    """Visits silos in threads, each of which closes its connections after every one."""

    def one(silo: Silo) -> Found:
        try:
            return visit(silo)
        finally:
            connections.close_all()

    told: set[Future[Found]] = set()
    with (
        _stdout_by_thread(),
        bare_connections(),
        ThreadPoolExecutor(max(1, min(jobs, len(silos)))) as pool,
    ):
        futures = [pool.submit(one, silo) for silo in silos]
        try:
            for future in as_completed(futures):
                told.add(future)
                tell(future.result())
        except BaseException:
            try:
                stop()
                pool.shutdown(wait=False, cancel_futures=True)
                wait([future for future in futures if not future.cancelled()])
            except BaseException:
                cancel()
                pool.shutdown(wait=True, cancel_futures=True)
            for future in [future for future in futures if not future.cancelled()]:
                if future not in told:
                    tell(future.result())
            raise
    return [future.result() for future in futures]


def _become_owner(connection: BaseDatabaseWrapper) -> None:
    """Makes what comes belong to the group of silos' roles, where the silo is one of theirs."""
    with connection.cursor() as cursor:
        cursor.execute(_BECOME_OWNER, [OWNERS])


def _tell_receivers(alias: str, plan: Plan) -> None:
    """Django's signal after a migration. Its own receivers make nothing in a silo."""
    if plan.apps is not None:
        # Written for one thread, as a rule.
        with STATES:
            emit_post_migrate_signal(0, False, alias, apps=plan.apps, plan=list(plan.forwards))


def explained(error: Exception, alias: str) -> str:
    """One line on what is wrong with a silo, never with a password."""
    said = next((line for line in str(error).splitlines() if line.strip()), "no reason given")
    return of_instance(explain(error, using=alias) or f"{type(error).__name__}: {said}")


def of_instance(why: str) -> str:
    """What `explain` says, where the address that it means is an instance's."""
    if isinstance(why, Sentence) and why.parts.get("setting") == SETTING:
        return why.having(setting=_ITS_ADDRESS)
    return why


# --- What data migrations print -----------------------------------------------------------------

_printed = threading.local()


@contextmanager
def _prints() -> Iterator[StringIO]:
    """Collects what this thread prints."""
    _printed.into = StringIO()
    try:
        yield _printed.into
    finally:
        del _printed.into


class _ByThread:
    """Standard output for many threads: each collects its own, those that collect nothing print."""

    def __init__(self, real: TextIO) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(_printed, "into", self._real), name)


@contextmanager
def _stdout_by_thread() -> Iterator[None]:
    real = sys.stdout
    sys.stdout = _ByThread(real)
    try:
        yield
    finally:
        sys.stdout = real
