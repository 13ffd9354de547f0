"""The moved clock moves what triggers write, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F

from billing.models import Subscription, SubscriptionHistory
from kitehub.demo.clock import moved_clock
from tests.factories.billing import SubscriptionFactory

THEN = datetime(2025, 12, 31, 17, 5, tzinfo=UTC)


def scalar(sql: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.fixture
def subscription(db: None) -> Subscription:
    return SubscriptionFactory()


def rename(subscription: Subscription, actor: str) -> datetime:
    Subscription.objects.filter(pk=subscription.pk).update(
        updated_by=actor, monthly_price=F("monthly_price") + 1
    )
    subscription.refresh_from_db()
    return subscription.updated_at


def test_triggers_write_the_moment_asked_for(subscription: Subscription) -> None:
    with moved_clock(connection) as move_to:
        for hours in range(3):
            move_to(THEN + timedelta(hours=hours))
            assert rename(subscription, f"actor {hours}") == THEN + timedelta(hours=hours)
    # All but the first row, which is of the real time.
    history = SubscriptionHistory.objects.filter(
        changed_by__isnull=False, changed_by__startswith="actor"
    ).order_by("changed_at")
    assert list(history.values_list("changed_at", "changed_by")) == [
        (THEN + timedelta(hours=hours), f"actor {hours}") for hours in range(3)
    ]


def test_afterwards_the_same_connection_writes_the_real_time(subscription: Subscription) -> None:
    path = scalar("SHOW search_path")
    with moved_clock(connection) as move_to:
        move_to(THEN)
        rename(subscription, "then")
    assert rename(subscription, "now") == scalar("SELECT pg_catalog.now()")
    assert scalar("SHOW search_path") == path
    assert scalar("SELECT count(*) FROM pg_proc WHERE proname = 'now'") == 1


def test_other_connections_never_see_it(subscription: Subscription) -> None:
    other = connection.copy()
    try:
        with moved_clock(connection) as move_to, other.cursor() as cursor:
            move_to(THEN)
            cursor.execute("SELECT count(*) FROM pg_proc WHERE proname = 'now'")
            assert cursor.fetchone() == (1,)
    finally:
        other.close()
