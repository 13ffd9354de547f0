"""Orders whose time is up expire, however many they are."""

from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from kitehub.db.acting import acting

# The most orders a transaction; how many it really takes goes by how fast the last ones were.
EXPIRY_BATCH = 10_000
EXPIRY_FIRST_BATCH = 1000
EXPIRY_AIM_MILLISECONDS = 250
# What a batch may take before it is undone and halved; with the commit, less than a second.
EXPIRY_MILLISECONDS = 800
EXPIRY_ACTOR = "expire_orders"


@dataclass(frozen=True, slots=True)
class Expiry:
    """What a run of `expire_overdue` did; `longest` is how many seconds its slowest batch took."""

    orders: int
    batches: int
    longest: float


def expire_overdue(*, at: datetime, batch: int = EXPIRY_BATCH) -> Expiry:
    """Expires every pending order whose time was up at a moment.

    Each batch is a transaction of its own, the first to expire first, and as large as a quarter of
    a second allows, up to `batch`; one that would lock its orders for about a second is undone and
    halved. A run that was killed keeps the batches it finished; the next one goes on. Orders that
    somebody else has locked are left to them, deleted ones are left alone.

    Raises ValueError for a batch below 1, and RuntimeError inside a transaction, which would hold
    every lock to its end.
    """
    if batch < 1:
        raise ValueError("A batch has at least one order.")
    orders = batches = 0
    longest = 0.0
    since: datetime | None = None
    size = min(batch, EXPIRY_FIRST_BATCH)
    while True:
        started = monotonic()
        try:
            expired, last = _expire_batch(at=at, since=since, size=size)
        except OperationalError as error:
            in_time = (monotonic() - started) * 1000 < EXPIRY_MILLISECONDS
            # Before the limit it was somebody who means it, and one order is too few to halve.
            if size == 1 or in_time or not isinstance(error.__cause__, QueryCanceled):
                raise
            size //= 2
            continue
        taken = monotonic() - started
        orders += expired
        batches += bool(expired)
        longest = max(longest, taken)
        if expired < size:
            return Expiry(orders=orders, batches=batches, longest=longest)
        since = last
        fitting = int(size * EXPIRY_AIM_MILLISECONDS / 1000 / taken)
        size = max(1, min(batch, 2 * size, fitting))


def _expire_batch(
    *, at: datetime, since: datetime | None, size: int
) -> tuple[int, datetime | None]:
    """Expires the first orders that are due; returns how many, and the last one's expiry.

    One statement, because its locks then can't outlive the limit on statements. `since` spares it
    from walking over what the batches before have left dead in the index.
    """
    with (
        transaction.atomic(durable=True),
        acting(EXPIRY_ACTOR),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true)", [f"{EXPIRY_MILLISECONDS}ms"]
        )
        cursor.execute(
            """
            WITH due AS (
                SELECT id, expires_at
                FROM payment_orders
                WHERE status = 'PENDING' AND NOT deleted
                    AND expires_at < %(at)s
                    AND expires_at >= COALESCE(%(since)s, '-infinity'::timestamptz)
                ORDER BY expires_at
                LIMIT %(size)s
                FOR UPDATE SKIP LOCKED
            ), expired AS (
                UPDATE payment_orders
                SET status = 'EXPIRED'
                FROM due
                WHERE payment_orders.id = due.id
                RETURNING due.expires_at
            )
            SELECT count(*), max(expires_at) FROM expired
            """,
            {"at": at, "since": since, "size": size},
        )
        expired, last = cursor.fetchone()
        return expired, last
