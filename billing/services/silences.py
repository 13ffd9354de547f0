"""When bank feeds were heard of, and when they said nothing.

A silence begins KITEHUB_FEED_SILENCE hours after the last message: on a quiet account that much is
no sign of anything. It ends with the next message, so it is the same whenever the duty runs.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from billing.models import BankFeed


def hear(*, provider: str, account_number: str, at: datetime) -> None:
    """Notes a message of a feed, and that its silence is over if there was one."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Of two messages at once the second sees what the first has written.
        cursor.execute(
            "SELECT FROM bank_feeds WHERE provider = %s AND account_number = %s FOR NO KEY UPDATE",
            [provider, account_number],
        )
        cursor.execute(
            """
            WITH before AS (
                SELECT id, last_seen_at + make_interval(hours => %(hours)s) AS silent_since
                FROM bank_feeds
                WHERE provider = %(provider)s AND account_number = %(account)s
            ), heard AS (
                INSERT INTO bank_feeds AS feed (
                    provider, account_number, first_seen_at, last_seen_at, received, refused_reason
                )
                VALUES (%(provider)s, %(account)s, %(at)s, %(at)s, 1, '')
                ON CONFLICT (provider, account_number) DO UPDATE
                SET received = feed.received + 1,
                    first_seen_at = COALESCE(feed.first_seen_at, EXCLUDED.first_seen_at),
                    last_seen_at = GREATEST(feed.last_seen_at, EXCLUDED.last_seen_at)
                RETURNING 1
            ), ended AS (
                UPDATE bank_feed_silences SET ends_at = %(at)s
                FROM before
                WHERE feed_id = before.id AND ends_at IS NULL AND starts_at < %(at)s
                RETURNING 1
            )
            INSERT INTO bank_feed_silences (feed_id, starts_at, ends_at)
            SELECT before.id, before.silent_since, %(at)s
            FROM before, heard
            WHERE before.silent_since < %(at)s AND NOT EXISTS (SELECT FROM ended)
            """,
            {
                "provider": provider,
                "account": account_number,
                "at": at,
                "hours": settings.KITEHUB_FEED_SILENCE,
            },
        )


def is_heard(*, account_number: str, at: datetime) -> bool:
    """Whether a feed of an account has told lines and isn't silent, as its lines are stored."""
    since = at - timedelta(hours=settings.KITEHUB_FEED_SILENCE)
    feeds = BankFeed.objects.filter(account_number=account_number, received__gt=0)
    return feeds.filter(last_seen_at__gt=since).exists()


def watch_feeds(*, at: datetime) -> int:
    """Opens the silence of every feed that has said nothing for too long; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO bank_feed_silences (feed_id, starts_at)
            SELECT id, last_seen_at + make_interval(hours => %(hours)s)
            FROM bank_feeds
            WHERE account_number <> ''
                AND last_seen_at + make_interval(hours => %(hours)s) <= %(at)s
            ON CONFLICT (feed_id) WHERE ends_at IS NULL DO NOTHING
            """,
            {"at": at, "hours": settings.KITEHUB_FEED_SILENCE},
        )
        return int(cursor.rowcount)
