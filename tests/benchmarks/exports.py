"""The list of all payment orders as CSV and XLSX, against COPY of the same columns.

COPY writes the rows as they are stored, joined to schools and people alike, and nothing of it is
kept: less cannot be done. Memory is what the program takes more than before, at most, looked at
with each block that leaves.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psutil
from django.contrib import admin
from django.db import connection
from django.test import RequestFactory, override_settings
from django.utils import timezone

from billing.models import PaymentOrder
from kitehub.models import User
from tests.benchmarks import office
from tests.benchmarks.sql import server


def main(arguments: Sequence[str]) -> None:
    """Prints seconds, their ratio to COPY's, megabytes of the file and of memory for each way."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks exports", description=__doc__)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args(arguments)
    if options.orders < 300 or options.turns < 1:
        parser.error("300 orders and one turn are the least")
    office.fill(options.orders, at=timezone.now())
    user = User.objects.create_superuser("benchmark@example.vn", "a long password")
    ways: dict[str, Callable[[], Iterator[Any]]] = {
        "COPY": lambda: _copy(user),
        "csv": lambda: _export(user, "csv"),
        "xlsx": lambda: _export(user, "xlsx"),
    }
    print(f"{server()}; {options.orders:,} orders; the quickest of {options.turns} turns")
    print(f"{'':8}{'seconds':>9}{'ratio':>8}{'first, s':>10}{'file, MB':>10}{'memory, MB':>12}")
    with override_settings(DEBUG=False):
        taken = {name: [_run(way) for _ in range(options.turns)] for name, way in ways.items()}
    (least, *_), *_ = sorted(taken["COPY"])
    for name, turns in taken.items():
        seconds, first, size, _memory = min(turns)
        memory = max(turn[3] for turn in turns)
        print(
            f"{name:8}{seconds:9.1f}{seconds / least:8.2f}{first:10.2f}{size / 1e6:10.1f}"
            f"{memory / 1e6:12.1f}",
            flush=True,
        )


def _run(way: Callable[[], Iterator[Any]]) -> tuple[float, float, int, int]:
    """Seconds in all and until the first byte, bytes of the file, bytes of memory."""
    process = psutil.Process()
    before, started = process.memory_info().rss, time.perf_counter()
    first, size, most = 0.0, 0, before
    for block in way():
        first = first or time.perf_counter() - started
        size += len(block)
        most = max(most, process.memory_info().rss)
    return time.perf_counter() - started, first, size, most - before


def _copy(user: User) -> Iterator[Any]:
    orders, request = _list(user)
    columns = [str(getattr(each, "source", each)) for each in orders.export_columns]
    rows = orders.filtered_rows(request).values_list(*columns)
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        told = cursor.mogrify(sql, params)
        with cursor.copy(f"COPY ({told}) TO STDOUT (FORMAT csv, HEADER)") as copy:
            yield from copy


def _export(user: User, kind: str) -> Iterator[Any]:
    orders, request = _list(user)
    return iter(orders.export_view(request, kind))


def _list(user: User) -> tuple[Any, Any]:
    request = RequestFactory().get("/")
    request.user = user
    return admin.site._registry[PaymentOrder], request
