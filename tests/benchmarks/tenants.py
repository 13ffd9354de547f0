"""Migrating silos by `migrate_tenants`, against the raw limit and Django's own `migrate` in a loop.

The raw limit sends the same SQL with nothing but psycopg, in as many threads. Also what routing
costs: a query within `tenancy.use` against the same query with a fixed alias.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg
from django.core.management import call_command
from django.db import connection, connections

from analytics.models import GuestEvent
from kitehub import tenancy
from kitehub.db.secrets import Secret
from kitehub.tenancy.fanout import Fanout, Plans, Result, Silo, State, Way, gather
from tests.benchmarks import provisioning
from tests.benchmarks.sql import execute, server
from tests.migrations.later import later

JOBS = 8
COLUMN = 'operations = [migrations.AddField("storageusage", "{}", models.IntegerField(null=True))]'
GOALS = {"nothing to do": 1.5, "one AddField": 2.5, "query in use": 1.1}
# Django's loop takes long, and each of its rounds is like the others.
LOOPED = 10
# Making empty databases takes longer than filling them.
FROM_ZERO = 20


def main(arguments: Sequence[str]) -> None:
    """Prints milliseconds a silo of each way, and ratios to the raw limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks tenants", description=__doc__)
    parser.add_argument("--tenants", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--queries", type=int, default=2_000, help="for the cost of routing")
    parser.add_argument("--only", choices=("provisioning", "migrating"), default="")
    options = parser.parse_args(arguments)
    if options.only != "migrating":
        print(server())
        provisioning.run(options.tenants, options.runs)
    if options.only != "provisioning":
        _migrating(options)


def _migrating(options: argparse.Namespace) -> None:
    print(f"{server()}; {options.tenants} silos, {JOBS} threads; ms a silo, medians")
    print(f"{'':16}{'raw':>8}{'ours':>8}{'ratio':>8}{'Django':>9}{'ratio':>8}")
    with _databases(options.tenants) as names:
        fleet = _Fleet(names)
        _print("nothing to do", [_nothing_to_do(fleet) for _ in range(options.runs)])
        _print("one AddField", [_add_field(fleet, turn) for turn in range(options.runs)])
        _routing(fleet, options.queries, options.runs)
    count = min(options.tenants, FROM_ZERO)
    _print("from zero", [_from_zero(count) for _ in range(options.runs)])


# --- Silos --------------------------------------------------------------------------------------


class _Fleet:
    """Silos, and how psycopg alone reaches them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.schools = [_school(name) for name in names]
        self.silos, _ = gather((school.name, school) for school in self.schools)
        self.addresses = [_address(silo) for silo in self.silos]

    def migrate(self) -> list[Result]:
        results = Fanout(jobs=JOBS).run(self.silos)
        assert {result.state for result in results} <= {State.UP_TO_DATE, State.MIGRATED}, results
        return results

    def raw(self, *statements: str) -> float:
        """Milliseconds a silo to connect and send, with psycopg in threads."""

        def send(address: dict[str, Any]) -> None:
            with psycopg.connect(**address, autocommit=True) as raw:
                for statement in statements:
                    raw.execute(statement.encode())

        def all_of_them() -> None:
            with ThreadPoolExecutor(JOBS) as pool:
                list(pool.map(send, self.addresses))

        return _timed(all_of_them) / len(self.silos)

    def looped(self) -> float:
        """Milliseconds a silo of Django's `migrate`, one after another."""
        some = self.silos[:LOOPED]

        def loop() -> None:
            for silo in some:
                call_command("migrate", database=silo.alias, verbosity=0)
                connections[silo.alias].close()

        return _timed(loop) / len(some)


def _school(name: str) -> Any:
    return SimpleNamespace(
        id=uuid4(),
        name=name,
        database_url=f"postgres:///{name}",
        database_username="",
        database_password=Secret(""),
    )


def _address(silo: Silo) -> dict[str, Any]:
    params = connections[silo.alias].get_connection_params()
    return {
        key: params[key] for key in ("dbname", "user", "password", "host", "port") if key in params
    }


@contextmanager
def _databases(count: int, *, empty: bool = False) -> Iterator[list[str]]:
    """So many silos at the newest migration, or with nothing in them."""
    prefix = connection.settings_dict["NAME"]
    names = [f"{prefix}_{number}" for number in range(count)]
    template = f"{prefix}_template"
    made: list[str] = []
    try:
        for name in ([] if empty else [template]) + names:
            source = template if made and not empty else "template0"
            execute(f"CREATE DATABASE {name} TEMPLATE {source}")
            made.append(name)
            if name == template:
                Fanout().run(_Fleet([template]).silos)
        yield names
    finally:
        for name in made:
            execute(f"DROP DATABASE {name} WITH (FORCE)")


# --- What is measured: milliseconds a silo of raw, ours and Django's ------------------------------

_Turn = tuple[float, float, float]


def _nothing_to_do(fleet: _Fleet) -> _Turn:
    raw = fleet.raw("SELECT app, name FROM django_migrations")
    ours = _timed(fleet.migrate) / len(fleet.silos)
    return raw, ours, fleet.looped()


def _add_field(fleet: _Fleet, turn: int) -> _Turn:
    """A new column each time; Django's own gets one more."""
    with TemporaryDirectory() as folder:
        ours, raw, own = (f"{way}_{turn}" for way in ("ours", "raw", "own"))
        bare = fleet.raw(
            f"ALTER TABLE storage_usage ADD COLUMN {raw} integer NULL",
            f"INSERT INTO django_migrations (app, name, applied) VALUES ('raw', '{raw}', now())",
        )
        with later("storage", Path(folder), one=COLUMN.format(ours)):
            taken = _timed(fleet.migrate) / len(fleet.silos)
        with later("storage", Path(folder), one=COLUMN.format(ours), two=COLUMN.format(own)):
            looped = fleet.looped()
    for alias in (silo.alias for silo in fleet.silos):
        _forget(alias)
    return bare, taken, looped


def _forget(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE name LIKE '900%'")
    connections[alias].close()


def _from_zero(tenants: int) -> _Turn:
    with _databases(tenants, empty=True) as names:
        ours = _timed(_Fleet(names).migrate) / tenants
        fleet = _Fleet(names)
        script = _script(fleet.silos[0])
    with _databases(tenants, empty=True) as names:
        raw = _Fleet(names).raw(*script)
    with _databases(min(tenants, LOOPED), empty=True) as names:
        return raw, ours, _Fleet(names).looped()


def _script(silo: Silo) -> list[str]:
    """The SQL that a silo gets from zero, but for what Django must do itself, which is little."""
    live = connections[silo.alias]
    try:
        live.ensure_connection()
        steps = Plans().of(live, frozenset()).steps
    finally:
        live.close()
    table = (
        "CREATE TABLE django_migrations (id bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,"
        " app varchar(255) NOT NULL, name varchar(255) NOT NULL, applied timestamptz NOT NULL)"
    )
    return [table, *(step.sql for step in steps if step.way is not Way.DJANGO)]


def _routing(fleet: _Fleet, queries: int, runs: int) -> None:
    """The same query within `use` and with a fixed alias, in turns."""
    school, alias = fleet.schools[0], fleet.silos[0].alias

    def inside() -> None:
        GuestEvent.objects.filter(event_type="x").first()

    def entering() -> None:
        with tenancy.use(school):
            inside()

    def fixed() -> None:
        rows = GuestEvent.objects.using(alias)
        rows.filter(instance_id=school.id, event_type="x").first()

    turns = []
    for _ in range(runs):
        taken: list[list[float]] = [[], [], []]
        for _ in range(queries):
            taken[0].append(_timed(fixed))
            with tenancy.use(school):
                taken[1].append(_timed(inside))
            taken[2].append(_timed(entering))
        turns.append([statistics.median(each) for each in taken])
    connections[alias].close()
    bare = statistics.median(turn[0] for turn in turns)
    for way, what in ((1, "query in use"), (2, "entering use too")):
        ours = statistics.median(turn[way] for turn in turns)
        ratio = statistics.median(turn[way] / turn[0] for turn in turns)
        figures = f"{bare:8.3f}{ours:8.3f}{ratio:8.2f}{'':17}"
        print(f"{what:16}{figures}{_verdict(what, ratio)}".rstrip(), flush=True)


# --- Figures ------------------------------------------------------------------------------------


def _timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1_000


def _print(what: str, turns: Sequence[_Turn]) -> None:
    raw, ours, looped = (statistics.median(column) for column in zip(*turns, strict=True))
    ratio = statistics.median(turn[1] / turn[0] for turn in turns)
    django = statistics.median(turn[2] / turn[1] for turn in turns)
    figures = f"{raw:8.1f}{ours:8.1f}{ratio:8.2f}{looped:9.1f}{django:8.1f}"
    print(f"{what:16}{figures}{_verdict(what, ratio)}", flush=True)


def _verdict(what: str, ratio: float) -> str:
    if what not in GOALS:
        return ""
    return f"  goal {GOALS[what]}: {'met' if ratio <= GOALS[what] else 'missed'}"
