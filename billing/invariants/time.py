"""Subscriptions' time is what was paid for or given."""

from collections.abc import Iterator

from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, OuterRef

from billing.enums import OrderPurpose
from billing.models import PaymentOrder, Subscription, SubscriptionPeriod
from billing.services.subscriptions import differs_from_facts, takes_effect
from kitehub.db.invariants import SHOWN, Finding, invariant, rows

# Each takes four queries: the whole table would take a night, and what is wrong is mostly new.
FOLDED = 1000


@invariant("billing.SubscriptionPeriod")
def gaps(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """Periods don't overlap; a gap has its reason, and a period that follows at once has none."""
    count, found = rows(
        connection,
        """
        SELECT id, before, starts_at, gap_reason FROM (
            SELECT id, starts_at, gap_reason,
                lag(ends_at) OVER (PARTITION BY subscription_id ORDER BY starts_at) AS before
            FROM subscription_periods WHERE voided_at IS NULL
        ) live
        WHERE before > starts_at
            OR COALESCE(before < starts_at, false) <> (gap_reason IS NOT NULL)
        """,
    )
    if count:
        lines = tuple(
            f"{pk}: {before} to {starts}, {why or 'no reason'}" for pk, before, starts, why in found
        )
        yield Finding("subscription_periods", "overlap, or a gap without reason", count, lines)


@invariant("billing.SubscriptionPeriod", "billing.PaymentOrder")
def unpaid(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """Nobody has time by an order that isn't paid, or is paid back whole."""
    count, found = rows(
        connection,
        """
        SELECT period.id, own.order_id, own.status
        FROM subscription_periods period JOIN payment_orders own ON own.id = period.order_id
        WHERE period.voided_at IS NULL
            AND (own.status <> 'PAID' OR (own.paid_amount = 0 AND own.refunded_amount > 0))
        """,
    )
    if count:
        lines = tuple(f"{pk}: {code} is {status}" for pk, code, status in found)
        yield Finding("subscription_periods", "its order isn't paid", count, lines)


@invariant("billing.Subscription", "billing.SubscriptionPeriod")
def dates(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """A subscription ends with its last period, and its current one is one of its periods.

    Where nothing was written down yet, its own dates are all there is.
    """
    count, found = rows(
        connection,
        """
        SELECT own.id, current_period_start, current_period_end, last_end
        FROM subscriptions own JOIN (
            SELECT subscription_id, max(ends_at) FILTER (WHERE voided_at IS NULL) AS last_end,
                array_agg(starts_at) FILTER (WHERE voided_at IS NULL) AS starts
            FROM subscription_periods GROUP BY subscription_id
        ) live ON live.subscription_id = own.id
        WHERE current_period_end <> COALESCE(last_end, current_period_start)
            OR (last_end IS NOT NULL AND current_period_start <> ALL (starts))
        """,
    )
    if count:
        lines = tuple(
            f"{pk}: {start} to {end}, its periods to {last}" for pk, start, end, last in found
        )
        yield Finding("subscriptions", "dates are not those of the periods", count, lines)


@invariant("billing.Subscription", "kitehub.Instance")
def instances(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """An instance that pays ends when its subscription does, and has its tier."""
    count, found = rows(
        connection,
        """
        SELECT own.id, school.subscription_expires_at, own.current_period_end,
            school.tier, own.tier
        FROM subscriptions own JOIN instances school ON school.id = own.instance_id
        WHERE EXISTS (SELECT FROM subscription_periods WHERE subscription_id = own.id)
            AND NOT own.deleted AND NOT school.deleted
            AND (COALESCE(school.subscription_expires_at, own.current_period_end), school.tier)
                IS DISTINCT FROM (own.current_period_end, own.tier)
        """,
    )
    if count:
        lines = tuple(
            f"{pk}: {said} and {its_tier} (subscription: {end} and {tier})"
            for pk, said, end, its_tier, tier in found
        )
        yield Finding("instances", "says something else than its subscription", count, lines)


@invariant("billing.Subscription", "billing.SubscriptionPeriod")
def facts(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """The periods that are written down are those that the facts make.

    Of the subscriptions that changed last, as many as FOLDED.
    """
    if router.db_for_read(Subscription) != connection.alias:
        return
    written = SubscriptionPeriod.objects.filter(subscription=OuterRef("pk"))
    known = Subscription.all_objects.filter(Exists(written))
    newest = known.order_by("-updated_at", "pk")[:FOLDED]
    found = [each for each in newest if differs_from_facts(each)]
    if found:
        what = "periods are not those that orders and adjustments make"
        lines = tuple(str(each.pk) for each in found[:SHOWN])
        yield Finding("subscriptions", what, len(found), lines)


@invariant("billing.PaymentOrder", "billing.SubscriptionPeriod")
def wasted(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """An upgrade that is paid raises something; one of what was refunded is to be paid back.

    Of those that are no period's, as many of the last as FOLDED.
    """
    if router.db_for_read(Subscription) != connection.alias:
        return
    raised = SubscriptionPeriod.objects.filter(order=OuterRef("pk"), voided_at__isnull=True)
    upgrades = PaymentOrder.objects.paid().filter(
        ~Exists(raised), purpose=OrderPurpose.UPGRADE, paid_amount__gt=0
    )
    found = [
        each
        for each in upgrades.order_by("-paid_at", "pk")[:FOLDED]
        if not takes_effect(order=each)
    ]
    if found:
        lines = tuple(each.order_id for each in found[:SHOWN])
        yield Finding("payment_orders", "a paid upgrade raises nothing", len(found), lines)
