"""The back office on a thousand orders and on millions: what each page costs the database.

Both sizes are made alike, each in a database of its own. Every list is asked for its first page, a
page in the middle, each tab, each choice of each filter, a range of days and of amounts, every
order that it can have, and for searches by each kind of key, some common, some rare, one that is
nowhere; the dashboard as it is. Each query of such a request is then run by itself, several times
by turns, and counts as the server says that it took to plan and run it, at least: the program, the
wire and what else runs on the machine have no part in it. Goal: at most 1.5 times as long as on the
small side.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Any

from django.contrib import admin
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from kitehub.models import User
from tests.benchmarks import office
from tests.benchmarks.office_pages import Page, pages_of
from tests.benchmarks.sql import execute, server
from tests.migrations.databases import database

GOAL = 1.5
DASHBOARD = "dashboard"
LOGIN = "benchmark@example.vn"


@dataclass
class Side:
    """A back office in a database of its own."""

    orders: int
    database: BaseDatabaseWrapper
    client: Client = field(default_factory=lambda: Client(SERVER_NAME="localhost"))

    @contextmanager
    def on(self) -> Iterator[None]:
        """The default connection leads here."""
        before = connections["default"]
        connections["default"] = self.database
        try:
            yield
        finally:
            connections["default"] = before

    def fill(self, at: Any) -> None:
        """Makes the rows, and signs somebody in."""
        with self.on():
            office.fill(self.orders, at=at)
            self.client.force_login(User.objects.create_superuser(LOGIN, "a long password"))
            execute("ANALYZE kitehub_users, django_session")

    def pages(self, lists: Sequence[str]) -> dict[tuple[str, str], Page]:
        """The pages by list and name; each side has keys of its own."""
        with self.on():
            user = User.objects.get(email=LOGIN)
            found: list[Page] = []
            if not lists or DASHBOARD in lists:
                found.append(Page(DASHBOARD, "", reverse("admin:index")))
            for model_admin in admin.site._registry.values():
                if not lists or model_admin.opts.model_name in lists:
                    found += pages_of(model_admin, user)
        return {(page.list, page.name): page for page in found}

    def statements(self, page: Page) -> list["Statement"]:
        """What a request of the page asks the database; the first one pays for what is cold."""
        asked: list[Statement] = []

        def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.lstrip().startswith(("SELECT", "WITH")):
                asked.append(Statement(sql, params))
            return execute(sql, params, many, context)

        with self.on(), connection.execute_wrapper(keep):
            answer = self.client.get(page.url)
        assert answer.status_code == 200, f"{page}: {answer.status_code} {answer.headers}"
        return asked

    def time(self, statements: Sequence["Statement"]) -> None:
        """Runs each once more, by itself."""
        with self.on(), connection.cursor() as cursor:
            for each in statements:
                options = "ANALYZE, TIMING OFF, FORMAT JSON"
                cursor.execute(f"EXPLAIN ({options}) {each.sql}", each.params)
                (((told,),),) = cursor.fetchall()
                each.ms = min(each.ms, told["Planning Time"] + told["Execution Time"])


@dataclass
class Statement:
    """A query, and the least milliseconds that the server took to plan and run it."""

    sql: str
    params: Any
    ms: float = inf


def main(arguments: Sequence[str]) -> None:
    """Prints each page with its milliseconds on both sides, their ratio and how many queries."""
    options = _options(arguments)
    at = timezone.now()
    with override_settings(DEBUG=False), database(connections["default"]) as other:
        sides = (Side(options.small, other), Side(options.orders, connections["default"]))
        started = time.perf_counter()
        for side in sides:
            side.fill(at)
        print(
            f"{server()}; {options.small:,} and {options.orders:,} orders,"
            f" made in {time.perf_counter() - started:.0f} s; milliseconds in the server"
        )
        _compare(sides, options)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks admin", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000, help="5000000 is the goal's size")
    parser.add_argument("--small", type=int, default=1_000, help="orders of the other side")
    parser.add_argument("--runs", type=int, default=5, help="turns of each side")
    parser.add_argument(
        "--lists", nargs="*", default=[], help="models, such as paymentorder, or dashboard"
    )
    parser.add_argument("--explain", action="store_true", help="the plans of what is too slow")
    options = parser.parse_args(arguments)
    known = {DASHBOARD, *(each.opts.model_name for each in admin.site._registry.values())}
    if unknown := set(options.lists) - known:
        parser.error(f"no such list: {', '.join(sorted(unknown))}")
    if options.small < 300 or options.orders < options.small:
        parser.error("the small side has 300 orders or more, and the other no fewer")
    if options.runs < 1:
        parser.error("one run is the least")
    return options


def _compare(sides: tuple[Side, Side], options: argparse.Namespace) -> None:
    small, large = (side.pages(options.lists) for side in sides)
    print(f"{'page':52}{'small':>9}{'large':>9}{'ratio':>8}{'queries':>9}")
    ratios: list[tuple[float, float, str]] = []
    for key, page in large.items():
        if key not in small:
            continue
        costs = [
            side.statements(each) for side, each in zip(sides, (small[key], page), strict=True)
        ]
        for run in range(options.runs):
            for turn in (0, 1) if run % 2 else (1, 0):
                sides[turn].time(costs[turn])
        before, after = (sum(each.ms for each in side) for side in costs)
        queries = "/".join(str(count) for count in sorted({len(side) for side in costs}))
        ratios.append((after / before, after - before, " ".join(key)))
        print(
            f"{' '.join(key):52}{before:9.2f}{after:9.2f}{after / before:8.2f}{queries:>9}",
            flush=True,
        )
        if options.explain and after / before > GOAL:
            _explain(sides[1], max(costs[1], key=lambda each: each.ms))
    over = [each for each in ratios if each[0] > GOAL]
    much = sum(more > 1 for _ratio, more, _page in over)
    ratio, _more, worst = max(ratios)
    said = "met" if not over else f"missed by {len(over)} of {len(ratios)} pages"
    print(f"worst ratio {ratio:.2f} ({worst}), goal {GOAL}: {said}, {much} by more than a ms")


def _explain(side: Side, worst: Statement) -> None:
    print(f"    {worst.ms:.1f} ms: {worst.sql[:2000]}\n    {worst.params!r:.500}")
    with side.on(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {worst.sql}", worst.params)
        for (line,) in cursor.fetchall():
            print(f"      {line}")
