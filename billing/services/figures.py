"""The daily figures: added up, read and, should it ever be needed, mended.

Triggers write a row to `figure_entries` for whatever changes a figure, in the transaction of the
change. Nothing is ever read but both tables together in one statement, and entries move to
`daily_figures` in one statement: at any moment the figures are exact, whether or when they move.
"""

from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction

from billing.enums import Measure
from kitehub.enums import Tier

FOLD_BATCH = 10_000
# One fold at a time: two would wait for each other's rows. One repair at a time: two would add the
# same. A fold and a repair don't mind each other.
_FOLDING = "kitehub figures: fold"
_MENDING = "kitehub figures: mend"
_FOLD = """
    WITH taken AS (
        DELETE FROM figure_entries
        WHERE id IN (SELECT id FROM figure_entries ORDER BY id LIMIT %s)
        RETURNING day, measure, tier, amount, quantity
    ), added AS (
        INSERT INTO daily_figures AS kept (day, measure, tier, amount, quantity)
        SELECT day, measure, tier, sum(amount), sum(quantity)
        FROM taken
        GROUP BY day, measure, tier
        ON CONFLICT (measure, day, tier) DO UPDATE
        SET amount = kept.amount + EXCLUDED.amount, quantity = kept.quantity + EXCLUDED.quantity
    )
    SELECT count(*) FROM taken
"""
_MEND = """
    INSERT INTO figure_entries (day, measure, tier, amount, quantity)
    SELECT day, measure, tier, amount, quantity FROM figure_differences()
"""
# What lies before `since` comes as one row without a day.
_READ = """
    SELECT CASE WHEN day >= %(since)s THEN day END, measure, tier, sum(amount)::bigint,
        sum(quantity)::bigint
    FROM (
        SELECT day, measure, tier, amount, quantity FROM daily_figures
        WHERE measure = ANY(%(running)s)
        UNION ALL
        SELECT day, measure, tier, amount, quantity FROM daily_figures
        WHERE measure = ANY(%(others)s) AND day >= %(since)s
        UNION ALL
        SELECT day, measure, tier, amount, quantity FROM figure_entries
        WHERE measure = ANY(%(running)s) OR (measure = ANY(%(others)s) AND day >= %(since)s)
    ) figures
    GROUP BY 1, 2, 3
    ORDER BY 1 NULLS FIRST, 2, 3
"""
# They hold until they change: what they are on a day is the sum of all changes up to it.
RUNNING = frozenset({Measure.MRR, Measure.PAST_DUE, Measure.TRIALS})


@dataclass(frozen=True, slots=True)
class Change:
    """How much a measure changed on a day in Vietnam, in đồng and in number.

    Without a day: by how much in all the time before those that were asked for. Without a tier:
    where the measure has none.
    """

    day: date | None
    measure: Measure
    tier: Tier | None
    amount: int
    quantity: int


def fold_figures(*, batch: int = FOLD_BATCH) -> int:
    """Adds what has happened to its days; returns how many entries. No figure changes by it.

    In batches, each a transaction of its own; where another run is at it, it leaves it to that.
    Raises ValueError for a batch below 1, and RuntimeError inside a transaction.
    """
    if batch < 1:
        raise ValueError("A batch has at least one entry.")
    folded = 0
    while True:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [_FOLDING])
            if not cursor.fetchone()[0]:
                return folded
            cursor.execute(_FOLD, [batch])
            found = int(cursor.fetchone()[0])
        folded += found
        if found < batch:
            return folded


def rebuild_figures() -> int:
    """Counts everything anew and mends what differs; returns in how many figures.

    Adds what is missing and takes off what is too much, in one statement beside whoever books
    meanwhile: each change and its entry are committed together. Reads all paid orders and the whole
    history. Raises RuntimeError inside a transaction, whose snapshot might be older than the lock.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_MENDING])
        cursor.execute(_MEND)
        return int(cursor.rowcount)


def changes(*measures: Measure, since: date) -> list[Change]:
    """What changed from a day on, oldest first; of RUNNING measures also before it. One query."""
    running = [measure.value for measure in measures if measure in RUNNING]
    others = [measure.value for measure in measures if measure not in RUNNING]
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"running": running, "others": others, "since": since})
        return [
            Change(day, Measure(measure), Tier(tier) if tier else None, amount, quantity)
            for day, measure, tier, amount, quantity in cursor.fetchall()
        ]
