"""How long readers and writers of a table wait while its schema changes, and behind which lock."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.migrations.databases import url

PAUSE = 0.005  # seconds between two statements of a probe
GLANCE = 0.002  # and between two looks at the locks
PROBE = "kitehub benchmark probe"
# PostgreSQL's table locks, each stronger than the one before.
MODES = (
    *("AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock"),
    *("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"),
)
HELD = """
SELECT relation::regclass::text, mode
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'relation' AND relation = ANY (%(tables)s::regclass[]) AND granted
    AND datname = current_database()
    AND backend_type = 'client backend' AND application_name <> %(probe)s
"""


@dataclass(frozen=True)
class Probe:
    """A statement that a reader or a writer of a table sends all the time."""

    table: str
    role: str
    statement: str
    params: Sequence[object] = ()


@dataclass
class Phase:
    """One step of the change; times are those of time.perf_counter()."""

    name: str
    start: float
    end: float = 0.0
    locks: set[tuple[str, str]] = field(default_factory=set)

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def strongest(self) -> tuple[str, str] | None:
        """The strongest lock that was seen, and on which table."""
        return max(self.locks, key=lambda seen: MODES.index(seen[1]), default=None)


class Watch:
    """Probes at work, and the phases of the change meanwhile."""

    def __init__(self, connection: BaseDatabaseWrapper, tables: Sequence[str]) -> None:
        self.phases: list[Phase] = []
        self.failures: list[str] = []
        self.deadlocks: list[tuple[float, Probe]] = []
        self._spans: dict[Probe, list[tuple[float, float]]] = {}
        self._url = url(connection)
        self._tables = list(tables)
        self._over = threading.Event()

    @contextmanager
    def probing(self, probes: Sequence[Probe]) -> Iterator[None]:
        """Runs the probes, each in a thread with a connection of its own, while the block runs."""
        self._spans = {probe: [] for probe in probes}
        works: list[Callable[[], None]] = [self._sample]
        works += [lambda probe=probe: self._repeat(probe) for probe in probes]  # type: ignore[misc]
        threads = [threading.Thread(target=work, daemon=True) for work in works]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.end_phase()
            self._over.set()
            for thread in threads:
                thread.join()
        if self.failures:
            raise RuntimeError(f"A probe failed: {self.failures[0]}")

    def begin_phase(self, name: str) -> None:
        """The step before this one is over; one of the same name goes on."""
        if self.phases and not self.phases[-1].end and self.phases[-1].name == name:
            return
        self.end_phase()
        self.phases.append(Phase(name, time.perf_counter()))

    def end_phase(self) -> None:
        """No step is under way any more."""
        if self.phases and not self.phases[-1].end:
            self.phases[-1].end = time.perf_counter()

    def longest(self, phase: Phase, role: str) -> float:
        """The longest that a statement of a reader or writer took, in the part within the phase."""
        return max(
            (
                min(end, phase.end) - max(start, phase.start)
                for probe, spans in self._spans.items()
                if probe.role == role
                for start, end in spans
                if start < phase.end and end > phase.start
            ),
            default=0.0,
        )

    def deadlocked(self, phase: Phase) -> int:
        """How many statements of probes were refused because of a deadlock with the phase."""
        return sum(phase.start <= started < phase.end for started, _ in self.deadlocks)

    # --- In threads ---------------------------------------------------------------------------

    def _repeat(self, probe: Probe) -> None:
        try:
            with self._connect() as connection:
                while not self._over.wait(PAUSE):
                    started = time.perf_counter()
                    try:
                        connection.execute(probe.statement, probe.params)
                    except psycopg.errors.DeadlockDetected:
                        self.deadlocks.append((started, probe))
                    self._spans[probe].append((started, time.perf_counter()))
        except psycopg.Error as error:
            self.failures.append(f"{probe.role} of {probe.table}: {error}")

    def _sample(self) -> None:
        names = {"tables": self._tables, "probe": PROBE}
        with self._connect() as connection:
            while not self._over.wait(GLANCE):
                phase = self.phases[-1] if self.phases else None
                held = connection.execute(HELD, names).fetchall()
                if phase and not phase.end:
                    phase.locks.update(held)

    def _connect(self) -> "psycopg.Connection[Any]":
        # A prepared SELECT * fails once when a column's type changes.
        return psycopg.connect(
            self._url, autocommit=True, application_name=PROBE, prepare_threshold=None
        )
