"""Finding the orders of statement lines, against one plain indexed lookup a line.

The memos are as banks deliver them: most hold the code between references, some in lower case,
glued to their neighbours, broken by a blank, with a letter misread, after another code, and some
have none. *Matching* is codes from the memo and the orders of the codes; *plain* is psycopg's
prepared `SELECT … WHERE order_id = …` of the code itself, as it stands on the order. Shown beside
them is what settlement does before it books, the whole orders, locked, on which account and which
of them the money fits (*reading*), against the plain lookup `FOR UPDATE` (*locking*).

All take turns of a few hundred lines; ratios are the medians of the turns'.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from billing.matching import order_codes
from billing.models import BankTransfer
from billing.services import reading
from kitehub.db import rows
from kitehub.jobs.worker import staying_connected
from tests.benchmarks.orders import settle
from tests.benchmarks.schools import PRICE, TIER, clear, codes
from tests.benchmarks.sql import server
from tests.migrations.databases import url

GOAL = 3.0
PLAIN = "SELECT id, amount FROM payment_orders WHERE order_id = %s"
SEVERAL = "SELECT id, amount FROM payment_orders WHERE order_id = ANY (%s)"
READING = ("locking", "reading")
ORDERS = """
INSERT INTO payment_orders (order_id, type, user_id, instance_id, amount, tier, payment_content,
    expires_at, purpose, months, monthly_price, memo, bank_bin, account_number)
SELECT code, 'SUBSCRIPTION', gen_random_uuid(), gen_random_uuid(), %(price)s, %(tier)s,
    'KITEHUB ' || code, now() + interval '1 day', 'PERIOD', 1, %(price)s, code, %(bin)s,
    %(account)s
FROM code
"""
# How often each kind of memo comes, of a hundred.
KINDS = {
    "MBVCB.3278907687.{code}.CT tu 0071000123456 NGUYEN VAN A toi KITEHUB": 62,
    "{code} thanh toan hoc phi": 10,
    "chuyen tien {lower} cam on": 8,
    "IBFT{digits} {code}FT26328001": 6,
    "{first} {rest} truong Sao Mai": 6,
    "tt {misread} thang 11": 3,
    "{other} {code} dong tien": 2,
    "NGUYEN VAN A chuyen khoan cho KITEHUB": 3,
}
MISREAD = {"D": "0", "J": "1", "5": "S", "2": "Z"}


def main(arguments: Sequence[str]) -> None:
    """Prints microseconds a line of both, their ratio, and how many lines found their order."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks matching", description=__doc__
    )
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--turn", type=int, default=500, help="lines a side and turn")
    options = parser.parse_args(arguments)
    known = _fill(options.orders)
    with override_settings(DEBUG=False), staying_connected():
        connection.close()
        _compare(known, options.lines, options.turn)
        connection.close()


def _fill(orders: int) -> list[str]:
    known = list(codes(orders))
    clear()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE code (code text) ON COMMIT DROP")
        with cursor.copy("COPY code FROM STDIN") as copy:
            for code in known:
                copy.write_row((code,))
        values = {
            "price": PRICE,
            "tier": TIER,
            "bin": settings.KITEHUB_BANK_BIN,
            "account": settings.KITEHUB_BANK_ACCOUNT,
        }
        cursor.execute(ORDERS, values)
    settle("payment_orders")
    return known


def _compare(known: list[str], lines: int, turn: int) -> None:
    random = Random(lines)  # noqa: S311
    paid = [random.choice(known) for _ in range(lines)]
    memos = [garbled(code, random) for code in paid]
    taken: dict[str, list[float]] = {side: [] for side in ("plain", "matching", *READING)}
    found = 0
    with psycopg.connect(url(connection), autocommit=True) as plain:
        sides: dict[str, Callable[[list[str], list[str]], int]] = {
            "plain": partial(_look_up, plain, PLAIN),
            "matching": _match,
            "locking": partial(_look_up, plain, f"{PLAIN} FOR UPDATE"),
            "reading": _read,
        }
        for first in range(0, lines, turn):
            part = slice(first, first + turn)
            for side in taken if first // turn % 2 else reversed(taken):
                started = time.perf_counter()
                right = sides[side](paid[part], memos[part])
                taken[side].append((time.perf_counter() - started) / len(paid[part]) * 1e6)
                found += right if side == "matching" else 0
    print(f"{server()}; {len(known):,} orders, {lines:,} lines; microseconds a line, medians")
    names = ("plain", "matching", "ratio", "locking", "reading", "ratio", "found")
    print("".join(f"{name:>10}" for name in names))
    ratio, other = _ratio(taken, "matching", "plain"), _ratio(taken, "reading", "locking")
    plain_, matching, locking, reading = (statistics.median(times) for times in taken.values())
    print(
        f"{plain_:10.0f}{matching:10.0f}{ratio:10.2f}{locking:10.0f}{reading:10.0f}{other:10.2f}"
        f"{found / lines:10.1%}"
    )
    print(f"ratio {ratio:.2f}, goal {GOAL}: {'met' if ratio <= GOAL else 'missed'}")


def _ratio(taken: dict[str, list[float]], ours: str, plain: str) -> float:
    pairs = zip(taken[ours], taken[plain], strict=True)
    return statistics.median(one / other for one, other in pairs)


def garbled(code: str, random: Random) -> str:
    """A memo that pays the order of a code, as a bank delivers it."""
    (kind,) = random.choices(list(KINDS), list(KINDS.values()))
    cut = random.randrange(3, 9)
    wrong = next((place for place in range(2, 10) if code[place] in MISREAD), None)
    misread = code if wrong is None else code[:wrong] + MISREAD[code[wrong]] + code[wrong + 1 :]
    return kind.format(
        code=code,
        lower=code.lower(),
        first=code[:cut],
        rest=code[cut:],
        misread=misread,
        other=next(codes(1)),
        digits=random.randrange(10**8),
    )


def _look_up(
    plain: "psycopg.Connection[tuple[object, ...]]", sql: str, paid: list[str], _memos: list[str]
) -> int:
    with plain.transaction(), plain.cursor() as cursor:
        for code in paid:
            cursor.execute(sql, [code], prepare=True)
            assert cursor.fetchone()
    return len(paid)


def _match(paid: list[str], memos: list[str]) -> int:
    """How many lines found the order that they are for."""
    right = 0
    with transaction.atomic():
        for code, memo in zip(paid, memos, strict=True):
            found = order_codes(memo)
            if len(found) == 1:
                orders = rows.fetch(PLAIN, found)
            else:
                orders = rows.fetch(SEVERAL, [found]) if found else []
            right += bool(orders) and code in found
    return right


def _read(paid: list[str], memos: list[str]) -> int:
    """The same by what settlement reads, once it has a line."""
    right = 0
    at = timezone.now()
    with transaction.atomic():
        for code, memo in zip(paid, memos, strict=True):
            line = BankTransfer(
                provider="STATEMENT",
                account_number=settings.KITEHUB_BANK_ACCOUNT,
                amount=PRICE,
                memo=memo,
                transferred_at=at,
                allocated_amount=0,
                credited_amount=0,
                refunded_amount=0,
            )
            right += any(order.order_id == code for order, _part in reading.read(line).parts)
    return right
