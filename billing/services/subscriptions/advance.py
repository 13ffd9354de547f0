"""Time goes by: periods begin with their tier, and what is over is past due or has ended."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.enums import SubscriptionStatus
from billing.models import Subscription, SubscriptionAdjustment
from billing.services import grace
from billing.services.subscriptions.facts import is_tried
from billing.services.subscriptions.replay import rebuild
from billing.services.subscriptions.status import status_at
from kitehub.db.acting import acting

logger = logging.getLogger(__name__)
ADVANCE_ACTOR = "advance_subscriptions"
ADVANCE_BATCH = 500
BEGUN_REASON = "A period begins"
OVER_REASON = "What was paid or tried is over"
# A run that is later than this doesn't see that a period began.
LATEST = timedelta(days=45)

_OVER = (
    SubscriptionStatus.TRIAL,
    SubscriptionStatus.ACTIVE,
    SubscriptionStatus.PAST_DUE,
    SubscriptionStatus.CANCELED,
)
_BEGUN = """
    SELECT period.starts_at, period.id, own.id, own.instance_id,
        own.tier = period.tier AND own.pending_tier IS DISTINCT FROM period.tier
    FROM subscription_periods period
    JOIN subscriptions own ON own.id = period.subscription_id
    WHERE period.voided_at IS NULL
        AND period.starts_at BETWEEN %(from)s AND %(at)s
        AND (period.starts_at, period.id) > (%(since)s, %(after)s)
        AND own.current_period_start < period.starts_at
    ORDER BY period.starts_at, period.id
    LIMIT %(size)s
"""
# Skips what somebody is just changing: they see the new period themselves.
_BEGIN = """
    WITH begun AS (
        SELECT own.id, named.starts_at
        FROM subscriptions own
        JOIN unnest(%(ids)s::uuid[], %(starts)s::timestamptz[]) AS named (id, starts_at)
            USING (id)
        WHERE own.current_period_start < named.starts_at
        FOR NO KEY UPDATE OF own SKIP LOCKED
    )
    UPDATE subscriptions
    SET current_period_start = begun.starts_at
    FROM begun
    WHERE subscriptions.id = begun.id
"""


@dataclass(frozen=True, slots=True)
class Advance:
    """What a run of `advance_due` did: whose period began, of them with another tier; states.

    `failed` are the instances whose period could not begin.
    """

    begun: int
    retiered: int
    moved: int
    failed: tuple[UUID, ...] = ()


def advance_due(*, at: datetime, batch: int = ADVANCE_BATCH) -> Advance:
    """Brings subscriptions to what a moment makes of them.

    A period that has begun is the current one, with its tier. A trial that is over has ended, and
    so has what was cancelled; what was paid for is past due, and has ended once the grace ladder
    has. What is paused stays as it is. A late run ends where the runs that it missed would have.

    In batches, each a transaction of its own; a run that was killed keeps what it did. Rows that
    somebody else has locked are left to the next run. One whose tier can't be changed is logged,
    keeps no other from its own, and is tried again by the next run. Raises ValueError for a batch
    below 1, and RuntimeError inside a transaction.
    """
    if batch < 1:
        raise ValueError("A batch has at least one subscription.")
    begun, retiered, failed = _begin_periods(at=at, batch=batch)
    moved = sum(_end(status, at=at, batch=batch) for status in _OVER)
    return Advance(begun, retiered, moved, failed)


def not_paused() -> Q:
    """Subscriptions whose time doesn't stand still until somebody resumes it."""
    pauses = SubscriptionAdjustment.objects.open_pauses()
    return ~Q(Exists(pauses.filter(subscription=OuterRef("pk"))))


# --- Beginnings ---------------------------------------------------------------------------------


def _begin_periods(*, at: datetime, batch: int) -> tuple[int, int, tuple[UUID, ...]]:
    begun = retiered = 0
    failed: dict[UUID, None] = {}
    since, after = at - LATEST, UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                _BEGUN,
                {"from": at - LATEST, "at": at, "since": since, "after": after, "size": batch},
            )
            found = cursor.fetchall()
        # The earliest come first, so that of several of one subscription the latest is kept.
        same = {pk: starts_at for starts_at, _period, pk, _instance, as_is in found if as_is}
        if same:
            begun += _begin(list(same.items()), at=at)
        # Of a subscription several may have begun since the last run: it is rebuilt once.
        for instance_id in dict.fromkeys(row[3] for row in found if not row[4]):
            try:
                rebuild(instance_id=instance_id, at=at, actor=ADVANCE_ACTOR, reason=BEGUN_REASON)
            except Exception:
                logger.exception("The period of instance %s can't begin.", instance_id)
                failed[instance_id] = None
                continue
            begun += 1
            retiered += 1
        if len(found) < batch:
            return begun, retiered, tuple(failed)
        since, after = found[-1][:2]


def _begin(same: list[tuple[UUID, datetime]], *, at: datetime) -> int:
    """Periods that go on with the same tier; returns how many weren't somebody else's."""
    ids, starts = [pk for pk, _ in same], [starts_at for _, starts_at in same]
    with (
        transaction.atomic(durable=True),
        acting(ADVANCE_ACTOR, BEGUN_REASON, at=at),
        connection.cursor() as cursor,
    ):
        cursor.execute(_BEGIN, {"ids": ids, "starts": starts})
        return int(cursor.rowcount)


# --- Ends ---------------------------------------------------------------------------------------


def _end(status: SubscriptionStatus, *, at: datetime, batch: int) -> int:
    """Moves all that is over and in a state; returns how many."""
    moved = 0
    since: tuple[datetime, UUID] | None = None
    while True:
        with transaction.atomic(durable=True):
            rows = list(_over(status, since, at=at)[:batch])
            moved += _move(rows, status, at=at)
        if len(rows) < batch:
            return moved
        since = rows[-1].current_period_end, rows[-1].pk


def _over(
    status: SubscriptionStatus, since: tuple[datetime, UUID] | None, *, at: datetime
) -> QuerySet[Subscription]:
    """What is in a state and over, locked, the longest over first."""
    last = at
    if status == SubscriptionStatus.PAST_DUE:
        last = at - timedelta(days=grace.ladder().suspend)
    found = Subscription.objects.filter(not_paused(), status=status, current_period_end__lte=last)
    if since is not None:
        end, pk = since
        found = found.filter(
            Q(current_period_end__gt=end) | Q(current_period_end=end, pk__gt=pk),
            current_period_end__gte=end,
        )
    ordered = found.order_by("current_period_end", "pk").only(
        "current_period_end", "trial_end", "status"
    )
    return ordered.select_for_update(of=("self",), no_key=True, skip_locked=True)


def _move(rows: list[Subscription], status: SubscriptionStatus, *, at: datetime) -> int:
    ladder = grace.ladder()
    silences = grace.silences(since=rows[0].current_period_end) if rows else []
    groups: dict[SubscriptionStatus, list[UUID]] = {}
    for row in rows:
        after = status_at(
            status,
            end=row.current_period_end,
            tried=is_tried(row),
            at=at,
            ladder=ladder,
            silences=silences,
        )
        if after != status:
            groups.setdefault(after, []).append(row.pk)
    for after, keys in groups.items():
        with acting(ADVANCE_ACTOR, OVER_REASON, at=at):
            Subscription.objects.filter(pk__in=keys).update(status=after)
    return sum(map(len, groups.values()))
