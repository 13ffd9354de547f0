"""Opening schools in silos, against a bare CREATE DATABASE … TEMPLATE of the same template.

Ours is `workflows.open_instance` whole: the rows of instance and trial in the platform, the silo's
role with the verifier of its password, the copy of the template, who may connect to it, and a
connection as that role that fills the config. Many go through `open_instances`, in three threads,
and are compared with the bare statement on one connection, and on three at once.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from django.db import connection

from kitehub import tenancy, workflows
from kitehub.models import Instance, User
from kitehub.tenancy import provisioning
from kitehub.tenancy.connections import close_all
from kitehub.workflows import opening

GOAL = 1.25
# As many threads as `open_instances` has, where it isn't told otherwise.
JOBS = 3
# What is printed: a title, which figure, what it is compared with, and whether the goal is for it.
_LINES = (
    ("open_instances", "many", "raw", True),
    ("  raw in threads", "many", "raw_threads", False),
    ("one by one", "row", "raw", False),
    ("one alone", "single", "raw", False),
)
# Every so many-th school is opened by a call of its own as well.
ALONE = 5


def run(tenants: int, runs: int) -> None:
    """Prints milliseconds a school of both, their ratio, and where ours go."""
    print(f"\nprovisioning: {tenants} schools; ms a school, medians of {runs}")
    print("raw: CREATE DATABASE … TEMPLATE … STRATEGY wal_log, on a connection that stays open")
    print("ours: open_instance, all of it: platform rows, role, database, rights, config")
    owner = User.objects.create_user("owner@benchmark.test", "-", full_name="Owner")
    turns = []
    try:
        for number in range(runs):
            turns.append(_turn(owner, tenants, number))
    finally:
        with provisioning.administration() as admin:
            provisioning.drop_templates(admin)
    for title, way, limit, verdict in _LINES:
        raw, ours = (statistics.median(turn[name] for turn in turns) for name in (limit, way))
        ratio = statistics.median(turn[way] / turn[limit] for turn in turns)
        said = f"  goal {GOAL}: {'met' if ratio <= GOAL else 'missed'}" if verdict else ""
        print(f"{title:16}{raw:8.1f}{ours:8.1f}{ratio:8.2f}{said}", flush=True)
    print("of one by one, in:")
    for part in _PARTS:
        spent = statistics.median(turn[part.__name__] for turn in turns)
        print(f"  {part.__name__.strip('_').replace('_', ' '):24}{spent:8.2f}")


def _turn(owner: User, tenants: int, number: int) -> dict[str, float]:
    """Milliseconds a school of each way, in one run; all databases are gone afterwards."""
    spent: dict[str, list[float]] = {"raw": [], "row": [], "single": []}
    names: list[str] = []
    with (
        _measured(spent),
        provisioning.staying_connected(),
        provisioning.administration() as admin,
    ):
        template = provisioning.ensure_template(admin, opening._migrate)
        _open(owner, f"warm-{number}-up")
        for each in spent.values():
            each.clear()
        for school in range(tenants):
            names.append(f"{connection.settings_dict['NAME']}_raw_{school}")
            spent["raw"].append(_timed(partial(_raw, admin, template, names[-1])))
            if school % ALONE == 0:
                spent["row"].append(_timed(partial(_open, owner, f"row-{number}-{school}")))
    for school in range(0, tenants, ALONE):
        spent["single"].append(_timed(partial(_open, owner, f"one-{number}-{school}")))
    found = {name: statistics.median(each) * 1_000 for name, each in spent.items()}
    # A sum, as threads have it; what raw is compared with is the sum of its turns.
    found["raw"] = statistics.mean(spent["raw"]) * 1_000
    found["row"] = statistics.mean(spent["row"]) * 1_000
    _drop(names, number)
    schools = [_school(owner, f"many-{number}-{school}") for school in range(tenants)]
    results: list[workflows.Opening] = []
    took = _timed(lambda: results.extend(workflows.open_instances(schools, actor="t")))
    assert not [result.error for result in results if result.error], results
    found["many"] = took / tenants * 1_000
    _drop([], number)
    found["raw_threads"] = _raw_in_threads(template, tenants) * 1_000
    return found


def _raw_in_threads(template: str, tenants: int) -> float:
    """Seconds a database, with as many connections as `open_instances` has."""
    names = [f"{connection.settings_dict['NAME']}_raw_{number}" for number in range(tenants)]

    def work(mine: list[str]) -> None:
        with provisioning.administration() as admin:
            for name in mine:
                _raw(admin, template, name)

    def together() -> None:
        with ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(work, [names[number::JOBS] for number in range(JOBS)]))

    took = _timed(together)
    _drop(names, -1)
    return took / tenants


def _drop(names: list[str], number: int) -> None:
    close_all()
    with provisioning.administration() as admin:
        for name in names:
            admin.execute(f"DROP DATABASE {name}")
        for opened in Instance.objects.filter(subdomain__contains=f"-{number}-"):
            provisioning.drop(admin, tenancy.database_of(opened), opened.database_username)


def _timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _school(owner: User, subdomain: str) -> workflows.NewSchool:
    return workflows.NewSchool(subdomain, subdomain, owner, silo=True)


def _open(owner: User, subdomain: str) -> None:
    workflows.open_instance(
        subdomain=subdomain, organization_name=subdomain, owner=owner, actor="t", silo=True
    )


def _raw(admin: provisioning.Admin, template: str, name: str) -> None:
    admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")


# --- Where the time goes -------------------------------------------------------------------------

_PARTS: list[Callable[..., Any]] = [
    opening._register,
    provisioning.ensure_template,
    provisioning.ensure_role,
    provisioning.ensure_database,
    opening._make_rows,
]


@contextmanager
def _measured(spent: dict[str, list[float]]) -> Iterator[None]:
    with ExitStack() as stack:
        for part in _PARTS:
            stack.enter_context(_timing(part, spent.setdefault(part.__name__, [])))
        yield


@contextmanager
def _timing(part: Callable[..., Any], into: list[float]) -> Iterator[None]:
    """Notes how long a function takes whenever it is called through its module."""
    module = opening if part.__module__ == opening.__name__ else provisioning

    def timed(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return part(*args, **kwargs)
        finally:
            into.append(time.perf_counter() - started)

    setattr(module, part.__name__, timed)
    try:
        yield
    finally:
        setattr(module, part.__name__, part)
