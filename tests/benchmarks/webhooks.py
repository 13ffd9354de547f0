"""Webhooks end to end: HTTP, verify, store, match, allocate, extend; against the same rows by hand.

Clients send SePay's message for one open order after another over HTTP, each when the one before is
answered. A server of its own (`manage.py runserver`: Django's threaded one, with DEBUG off; KiteHub
brings no other) answers, and `manage.py worker` settles. Answered is a message that is stored;
settled is one whose order is PAID, its school extended, its receipt there. By hand is the INSERT of
the bank line and the transaction of `settle`, by as many connections as there are clients, with no
HTTP, no queue and no second process, on other schools in the same round.
"""

import argparse
import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.utils import timezone as clock

from tests.benchmarks.processes import WEBHOOK_SECRET, environment
from tests.benchmarks.schools import PRICE, School, fill, listed
from tests.benchmarks.settle import settle_by_hand
from tests.benchmarks.sql import execute, server
from tests.migrations.commands import ROOT
from tests.migrations.databases import url

PATIENCE = 300.0
VIETNAM = timezone(timedelta(hours=7))
LINE = (
    "INSERT INTO bank_transfers (id, provider, provider_id, account_number, bank, amount, memo,"
    " reference, transferred_at, virtual_account, details, counterparty_name,"
    " counterparty_account, counterparty_bank, note, raw, raw_body)"
    " VALUES (%(id)s, 'SEPAY', %(number)s, %(account)s, 'Vietcombank', %(amount)s, %(memo)s,"
    " %(reference)s, %(at)s, '', '', '', '', '', '', %(body)s::text::jsonb, %(body)s)"
)


def main(arguments: Sequence[str]) -> None:
    """Prints, by clients, how many are answered and settled a second, and how long answers take."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks webhooks", description=__doc__
    )
    parser.add_argument("--messages", type=int, default=300, help="a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    with _site(options.workers) as port:
        compare(port, options.clients, options.messages, options.rounds, lambda: None)


def compare(
    port: int,
    clients: Sequence[int],
    messages: int,
    rounds: int,
    settle_now: Callable[[], None],
) -> None:
    """Prints a line for each number of clients; `settle_now` settles, if no worker does."""
    print(f"{server()}; a second, medians of {rounds} rounds of {messages:,}; answers in ms")
    names = {"by hand": 9, "answered": 10, "settled": 9, "ratio": 7, "p50": 8, "p99": 8}
    print("clients" + "".join(f"{name:>{width}}" for name, width in names.items()))
    fill(2 * messages * (rounds * len(clients) + 1), at=clock.now())
    schools = iter(listed())
    _round(port, 1, schools, messages, settle_now)  # connections and plans are made
    for count in clients:
        turns = [_round(port, count, schools, messages, settle_now) for _ in range(rounds)]
        hand, answered, settled = (
            statistics.median(turn[place] for turn in turns) for place in range(3)
        )
        ratio = statistics.median(turn[2] / turn[0] for turn in turns)
        waits = sorted(wait for turn in turns for wait in turn[3])
        p50, p99 = (waits[int(len(waits) * part)] * 1000 for part in (0.5, 0.99))
        print(
            f"{count:7}{hand:9,.0f}{answered:10,.0f}{settled:9,.0f}{ratio:7.2f}{p50:8.1f}{p99:8.1f}",
            flush=True,
        )


def _round(
    port: int,
    clients: int,
    schools: Iterator[School],
    messages: int,
    settle_now: Callable[[], None],
) -> tuple[float, float, float, list[float]]:
    """Messages a second by hand, answered, and settled; and how long each answer took."""
    by_hand, sent = ([next(schools) for _ in range(messages)] for _ in range(2))
    address = url(connection)
    hand, _waits = _together(lambda part: _by_hand(address, part), by_hand, clients)
    started = time.perf_counter()
    answered, waits = _together(lambda part: _send(port, part), sent, clients)
    settle_now()
    _wait_until_paid([school.code for school in sent])
    settled = time.perf_counter() - started
    return messages / hand, messages / answered, messages / settled, waits


def _together(
    work: Callable[[list[School]], list[float]], schools: list[School], threads: int
) -> tuple[float, list[float]]:
    """How long the threads took for all schools, and what they say of each."""
    parts = [schools[place::threads] for place in range(threads)]
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        said = [each for part in pool.map(work, parts) for each in part]
    return time.perf_counter() - started, said


def _wait_until_paid(codes: list[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while execute(
        "SELECT FROM payment_orders WHERE order_id = ANY (%s) AND status <> 'PAID' LIMIT 1", codes
    ):
        assert time.monotonic() < deadline, "the workers don't settle"
        time.sleep(0.02)


# --- Those who send -----------------------------------------------------------------------------


def _send(port: int, schools: list[School]) -> list[float]:
    """Sends a message for each, one after another, on one connection; how long each took."""
    waits = []
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    client.connect()
    for school in schools:
        body = _body(school, clock.now())
        stamp = str(int(time.time()))
        started = time.perf_counter()
        client.request("POST", "/api/v1/webhooks/sepay", body, _signed(stamp, body))
        if client.sock is not None and hasattr(socket, "TCP_QUICKACK"):
            # Django's server sends the head and waits for its receipt, which Linux delays by 40 ms.
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        answer = client.getresponse()
        said = answer.read()
        waits.append(time.perf_counter() - started)
        assert answer.status == 200, (answer.status, said)
    client.close()
    return waits


def _signed(stamp: str, body: bytes) -> dict[str, str]:
    message = stamp.encode() + b"." + body
    signature = hmac.new(WEBHOOK_SECRET.encode(), message, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-SePay-Timestamp": stamp,
        "X-SePay-Signature": f"sha256={signature}",
        # As the proxy says that stands before it.
        "X-Forwarded-Proto": "https",
    }


def _body(school: School, at: datetime) -> bytes:
    """SePay's message of a transfer that pays a school's order."""
    told = {
        "id": school.number,
        "gateway": "Vietcombank",
        "transactionDate": f"{at.astimezone(VIETNAM):%Y-%m-%d %H:%M:%S}",
        "accountNumber": settings.KITEHUB_BANK_ACCOUNT,
        "code": None,
        "content": f"MBVCB.3278907687.{school.code}.CT tu 0071000123456 NGUYEN VAN A",
        "transferType": "in",
        "transferAmount": PRICE,
        "accumulated": 0,
        "subAccount": None,
        "referenceCode": f"FT26{school.number:08}",
        "description": "",
    }
    return json.dumps(told).encode()


def _by_hand(address: str, schools: list[School]) -> list[float]:
    with psycopg.connect(address, autocommit=True) as hand:
        for school in schools:
            at = clock.now()
            _insert_line(hand, school, at)
            settle_by_hand(hand, school, at)
    return []


def _insert_line(hand: "psycopg.Connection[Any]", school: School, at: datetime) -> None:
    body = _body(school, at).decode()
    line = {
        "id": school.transfer_id,
        "number": str(school.number),
        "account": settings.KITEHUB_BANK_ACCOUNT,
        "amount": PRICE,
        "memo": json.loads(body)["content"],
        "reference": f"FT26{school.number:08}",
        "at": at,
        "body": body,
    }
    hand.execute(LINE, line, prepare=True)


# --- The site -----------------------------------------------------------------------------------


@contextmanager
def _site(workers: int) -> Iterator[int]:
    """A server and workers, each a process; yields the server's port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    commands = [["runserver", "--noreload", f"127.0.0.1:{port}"], *[["worker"]] * workers]
    with ExitStack() as stack:
        for command in commands:
            stack.enter_context(_running(command))
        _wait_for(port)
        yield port


@contextmanager
def _running(command: Sequence[str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=os.environ | environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the server doesn't start"
            time.sleep(0.1)
        else:
            return
