"""The back office on a thousand orders and on millions: what each page costs the database.

Both sizes are made alike, each in a database of its own. Every list is asked for its first page, a
page in the middle, each tab, each choice of each filter, a range of days and of amounts, every
order that it can have, and for searches by each kind of key, some common, some rare, one that is
nowhere; the dashboard as it is. What counts is the time of all queries of a request, as the program
waits for it, warm. Both sizes take turns, and the quickest turn of each counts: what else runs on
the machine only adds. Goal: at most 1.5 times as long as on the small side.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
            found = [Page("dashboard", "", reverse("admin:index"))] if not lists else []
            for model_admin in admin.site._registry.values():
                if not lists or model_admin.opts.model_name in lists:
                    found += pages_of(model_admin, user)
        return {(page.list, page.name): page for page in found}

    def ask(self, page: Page) -> "Cost":
        """What one request costs."""
        cost = Cost()
        with self.on(), connection.execute_wrapper(cost):
            answer = self.client.get(page.url)
        assert answer.status_code == 200, f"{page}: {answer.status_code} {answer.headers}"
        return cost


class Cost:
    """The queries of a request, their time in milliseconds, and the slowest of them."""

    def __init__(self) -> None:
        self.queries, self.ms = 0, 0.0
        self.worst: tuple[float, str, Any] = (0.0, "", None)

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Measures a query; Django's hook."""
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            taken = (time.perf_counter() - started) * 1000
            self.queries += 1
            self.ms += taken
            self.worst = max(self.worst, (taken, sql, params), key=lambda each: each[0])


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
            f" made in {time.perf_counter() - started:.0f} s; milliseconds of SQL"
        )
        _compare(sides, options)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks admin", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000, help="5000000 is the goal's size")
    parser.add_argument("--small", type=int, default=1_000, help="orders of the other side")
    parser.add_argument("--runs", type=int, default=7, help="turns of each side")
    parser.add_argument("--lists", nargs="*", default=[], help="models, such as paymentorder")
    parser.add_argument("--explain", action="store_true", help="the plans of what is too slow")
    options = parser.parse_args(arguments)
    known = {each.opts.model_name for each in admin.site._registry.values()}
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
    ratios: list[tuple[float, str]] = []
    for key, page in large.items():
        if key not in small:
            continue
        costs = _measured(sides, (small[key], page), options.runs)
        before, after = (min(cost.ms for cost in side) for side in costs)
        queries = "/".join(str(count) for count in sorted({s[-1].queries for s in costs}))
        ratios.append((after / before, " ".join(key)))
        print(f"{' '.join(key):52}{before:9.2f}{after:9.2f}{after / before:8.2f}{queries:>9}")
        if options.explain and after / before > GOAL:
            _explain(sides[1], min(costs[1], key=lambda cost: cost.ms))
    over = sum(ratio > GOAL for ratio, _page in ratios)
    ratio, worst = max(ratios)
    said = "met" if not over else f"missed by {over} of {len(ratios)} pages"
    print(f"worst ratio {ratio:.2f} ({worst}), goal {GOAL}: {said}", flush=True)


def _measured(
    sides: tuple[Side, Side], pages: tuple[Page, Page], runs: int
) -> tuple[list[Cost], list[Cost]]:
    """The costs of each side, the first and cold turn left out."""
    taken: tuple[list[Cost], list[Cost]] = ([], [])
    for run in range(runs + 1):
        for turn in (0, 1) if run % 2 else (1, 0):
            taken[turn].append(sides[turn].ask(pages[turn]))
    return taken[0][1:], taken[1][1:]


def _explain(side: Side, cost: Cost) -> None:
    taken, sql, params = cost.worst
    print(f"    {taken:.1f} ms: {sql[:2000]}\n    {params!r:.500}")
    with side.on(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
        for (line,) in cursor.fetchall():
            print(f"      {line}")
