"""Settling bank lines by the service, against a transaction written by hand for the same rows.

Each line pays, to the đồng, the order for a school's next month. By hand that is what one would
write who knows that this, and nothing else, is the case: no memo is read, no period is folded, no
fact is looked at again. It locks the line, the order, the instance and the subscription, inserts
the allocation, the period and the receipt, and updates what was locked, with psycopg and prepared
statements, on the same tables with the same triggers. Afterwards the rows of both are compared.

Both take turns of a few dozen lines; the ratio is the median of the turns'. Several workers are
processes, as `manage.py worker` would be.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from multiprocessing import get_context
from typing import Any
from unittest.mock import patch
from uuid import UUID

import django
import psycopg
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from billing.services.settlement import settle_transfer
from kitehub.jobs.worker import staying_connected
from tests.benchmarks.processes import environment
from tests.benchmarks.schools import PRICE, TIER, School, fill, listed
from tests.benchmarks.sql import execute, server
from tests.migrations.databases import url

GOAL = 0.5
SIDES = ("hand", "service")
HAND = (
    "SELECT set_config('kitehub.actor', 'settlement', true),"
    " set_config('kitehub.reason', %(reason)s, true), set_config('kitehub.at', %(at)s, true)",
    "SELECT 1 FROM bank_transfers WHERE id = %(transfer)s AND state = 'RECEIVED' FOR UPDATE",
    "SELECT id, instance_id, amount FROM payment_orders WHERE order_id = %(code)s FOR UPDATE",
    "INSERT INTO payment_allocations (transfer_id, order_id, amount, created_at)"
    " VALUES (%(transfer)s, %(order)s, %(amount)s, %(at)s)",
    "UPDATE payment_orders SET status = 'PAID', paid_at = %(at)s,"
    " transaction_reference = %(reference)s WHERE id = %(order)s",
    "SELECT 1 FROM instances WHERE id = %(instance)s FOR NO KEY UPDATE",
    "SELECT id, current_period_end FROM subscriptions WHERE instance_id = %(instance)s"
    " FOR NO KEY UPDATE",
    "INSERT INTO subscription_periods"
    " (subscription_id, kind, tier, starts_at, ends_at, order_id, created_at, created_by)"
    " VALUES (%(subscription)s, 'PAID', %(tier)s, %(end)s,"
    " %(end)s::timestamptz + interval '1 month', %(order)s, clock_timestamp(), 'settlement')",
    "UPDATE subscriptions SET current_period_end = current_period_end + interval '1 month'"
    " WHERE id = %(subscription)s",
    "UPDATE instances SET subscription_expires_at = %(end)s::timestamptz + interval '1 month'"
    " WHERE id = %(instance)s",
    "INSERT INTO receipts (kind, year, number, order_id, instance_id, amount, content, issued_at)"
    " VALUES ('RECEIPT', 0, 0, %(order)s, %(instance)s, %(amount)s, %(content)s, %(at)s)",
    "UPDATE bank_transfers SET state = 'MATCHED', settled_at = %(at)s WHERE id = %(transfer)s",
)
# What the answers of HAND are called, by the statement's place.
_TOLD = {2: ("order", "instance", "amount"), 6: ("subscription", "end")}
# What came of the lines of one side; the two sides must be alike.
_OUTCOME = """
SELECT count(*), count(DISTINCT orders.id), sum(line.allocated_amount),
    count(*) FILTER (WHERE orders.status = 'PAID' AND line.state = 'MATCHED'),
    count(period.id), count(receipt.id), min(pg_column_size(receipt.content)) > 100,
    count(*) FILTER (WHERE own.current_period_end = period.ends_at
        AND school.subscription_expires_at = period.ends_at),
    (SELECT count(*) FROM subscription_history history
     WHERE history.subscription_id = ANY (array_agg(own.id)))
FROM bank_transfers line
JOIN payment_allocations booked ON booked.transfer_id = line.id
JOIN payment_orders orders ON orders.id = booked.order_id
JOIN instances school ON school.id = orders.instance_id
JOIN subscriptions own ON own.instance_id = school.id
LEFT JOIN subscription_periods period ON period.order_id = orders.id
LEFT JOIN receipts receipt ON receipt.order_id = orders.id
WHERE line.id = ANY (%s)
"""


def main(arguments: Sequence[str]) -> None:
    """Prints lines a second of both and their ratio, by the number of workers."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks settle", description=__doc__)
    parser.add_argument("--lines", type=int, default=40, help="a side, worker and turn")
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    options = parser.parse_args(arguments)
    print(f"{server()}; lines a second, medians of {options.turns} turns")
    print(f"{'workers':>7}{'by hand':>9}{'service':>9}{'ratio':>7}")
    best = max(_compare(workers, options.lines, options.turns) for workers in options.workers)
    print(f"best ratio {best:.2f}, goal {GOAL}: {'met' if best >= GOAL else 'missed'}")


def _compare(workers: int, lines: int, turns: int) -> float:
    """Prints one line; returns the service's lines a second by those of the transaction by hand."""
    at = timezone.now()
    each = lines * workers
    fill(2 * each * (turns + 1), at=at, lines=True)
    schools = iter(listed())
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    settled: dict[str, list[UUID]] = {side: [] for side in SIDES}
    with _crew(workers) as run:
        for turn in range(turns + 1):
            for side in SIDES if turn % 2 else reversed(SIDES):
                chosen = [next(schools) for _ in range(each)]
                started = time.perf_counter()
                run(side, [chosen[place::workers] for place in range(workers)], at)
                taken = time.perf_counter() - started
                settled[side] += [school.transfer_id for school in chosen]
                if turn:  # the first one makes plans and connections
                    rates[side].append(each / taken)
    outcomes = {side: execute(_OUTCOME, settled[side]) for side in SIDES}
    assert outcomes["hand"] == outcomes["service"], outcomes
    pairs = zip(rates["service"], rates["hand"], strict=True)
    ratio = statistics.median(ours / hand for ours, hand in pairs)
    medians = "".join(f"{statistics.median(rates[side]):9,.0f}" for side in SIDES)
    print(f"{workers:7}{medians}{ratio:7.2f}", flush=True)
    return ratio


# --- Who works ----------------------------------------------------------------------------------

_Run = Callable[[str, Sequence[list[School]], datetime], None]


@contextmanager
def _crew(workers: int) -> Iterator[_Run]:
    """What settles the parts of some lines, each in a process; one worker is this process."""
    if workers == 1:
        connection.close()
        with override_settings(DEBUG=False), staying_connected():
            yield lambda side, parts, at: work(side, parts[0], at)
        _connection().close()
        _connection.cache_clear()
        return
    with (
        patch.dict(os.environ, environment()),
        ProcessPoolExecutor(workers, get_context("spawn"), django.setup) as pool,
    ):

        def run(side: str, parts: Sequence[list[School]], at: datetime) -> None:
            for done in [pool.submit(work, side, part, at) for part in parts]:
                done.result()

        yield run


def work(side: str, schools: Sequence[School], at: datetime) -> None:
    """Settles the schools' bank lines, one after another."""
    for school in schools:
        if side == "service":
            settle_transfer(transfer_id=school.transfer_id, at=at)
        else:
            settle_by_hand(_connection(), school, at)


@cache
def _connection() -> "psycopg.Connection[Any]":
    return psycopg.connect(url(connection), autocommit=True)


def settle_by_hand(hand: "psycopg.Connection[Any]", school: School, at: datetime) -> None:
    """The transaction that one would write by hand."""
    reference = f"FT26{school.number:08}"
    known: dict[str, Any] = {
        "transfer": school.transfer_id,
        "code": school.code,
        "reference": reference,
        "reason": f"Order {school.code} is paid",
        "at": at.isoformat(),
        "tier": TIER.value,
    }
    with hand.transaction():
        for place, statement in enumerate(HAND):
            answer = hand.execute(statement, known, prepare=True)
            if place in _TOLD:
                row = answer.fetchone()
                assert row is not None
                known |= zip(_TOLD[place], row, strict=True)
            if place == max(_TOLD):
                known["content"] = _content(school, reference, known)


def _content(school: School, reference: str, known: dict[str, Any]) -> str:
    """A receipt's words, as many as the service's."""
    payer = {
        "name": f"Trung tâm Anh ngữ Sao Mai {school.number}",
        "details": [f"Nguyễn Văn {school.number}", f"chu-truong-{school.number}@example.vn"],
    }
    payment = {
        "amount": PRICE,
        "bank": "Vietcombank",
        "reference": reference,
        "received_at": known["at"],
    }
    content = {
        "version": 1,
        "issuer": {"name": "KiteHub", "details": []},
        "payer": payer,
        "order_code": school.code,
        "amount": PRICE,
        "tier": TIER.value,
        "period_start": known["end"].isoformat(),
        "period_end": known["end"].isoformat(),
        "payments": [payment],
        "voids": "",
        "reason": "",
    }
    return json.dumps(content, ensure_ascii=False)
