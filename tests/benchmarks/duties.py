"""One night of many subscriptions: how long each duty takes, and how much memory the program.

A thirtieth of the schools each begin a period that is paid already, are past due from tonight on,
and get their renewal order tonight; another fifth has one. Reminders of the days before are asked
for already, tonight's are not.
"""

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from billing.services.reminders import remind_due
from billing.services.renewals import renew_due
from billing.services.subscriptions.advance import advance_due
from kitehub.db.secrets import keyring
from tests.benchmarks.sql import execute, server

NIGHT = datetime(2026, 6, 10, 13, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
TABLES = (
    *("kitehub_users", "instances", "subscriptions", "subscription_history"),
    *("subscription_periods", "payment_orders", "emails", "procrastinate_jobs"),
)
# Of thirty schools: 0 begins a paid period, 1 is over, 2 to 8 end within the week, the rest later.
_SCHOOLS = """
CREATE TEMPORARY TABLE school AS
SELECT n, n %% 30 AS kind, gen_random_uuid() AS instance_id, gen_random_uuid() AS owner_id,
    gen_random_uuid() AS subscription_id, ends_at - interval '30 days' AS starts_at, ends_at,
    ends_at + CASE WHEN n %% 30 = 0 THEN interval '30 days' ELSE interval '0' END AS paid_until
FROM (
    SELECT n, date_trunc('second', %(at)s::timestamptz)
        + ((n %% 30) - 1) * interval '1 day' - interval '1 hour'
        - CASE WHEN n %% 30 = 0 THEN interval '-1 day' ELSE interval '0' END AS ends_at
    FROM generate_series(1, %(count)s) n
) series
"""
_ROWS = (
    """
    INSERT INTO kitehub_users (id, email, password, full_name, is_superuser, is_staff, is_active)
    SELECT owner_id, 'chu-truong-' || n || '@example.vn', '!', 'Nguyễn Văn ' || n,
        false, false, true
    FROM school
    """,
    """
    INSERT INTO instances
        (id, subdomain, organization_name, owner_id, tier, status, database_url,
         database_username, database_password, subscription_id)
    SELECT instance_id, 'truong-' || n, 'Sao Mai ' || n, owner_id, 'BASIC', 'ACTIVE',
        'postgres://pool/kitehub', 'kitehub', %(password)s, subscription_id
    FROM school
    """,
    """
    INSERT INTO subscriptions
        (id, instance_id, tier, monthly_price, status, current_period_start, current_period_end)
    SELECT subscription_id, instance_id, 'BASIC', 299000, 'ACTIVE', starts_at, paid_until
    FROM school
    """,
    """
    INSERT INTO subscription_periods (subscription_id, kind, tier, starts_at, ends_at, created_by)
    SELECT subscription_id, 'CARRIED', 'BASIC', starts_at, ends_at, 'benchmark' FROM school
    UNION ALL
    SELECT subscription_id, 'CARRIED', 'BASIC', ends_at, paid_until, 'benchmark' FROM school
    WHERE ends_at < paid_until
    """,
    """
    INSERT INTO payment_orders
        (order_id, type, user_id, instance_id, amount, tier, payment_content, created_at,
         expires_at, purpose, months, subject, created_by)
    SELECT 'KH' || n, 'SUBSCRIPTION', owner_id, instance_id, 299000, 'BASIC', 'KH' || n, starts_at,
        ends_at + interval '7 days', 'PERIOD', 1, 'subscription', 'renew_subscriptions'
    FROM school WHERE kind BETWEEN 1 AND 7
    """,
    """
    INSERT INTO emails
        (recipient, reason, template, language, context, error, subject, text_body, html_body)
    SELECT 'chu-truong-' || n || '@example.vn',
        subscription_id || ':renewal' || to_char(days, 'SG9') || ':'
            || to_char(ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') || '+00:00',
        'reminder', 'vi', '{}', '', '', '', ''
    FROM school, unnest(ARRAY[-7, -3, -1]) days
    WHERE kind BETWEEN 1 AND 8
        AND ends_at + days * interval '1 day' < %(at)s::timestamptz - interval '12 hours'
    """,
)


def main(arguments: Sequence[str]) -> None:
    """Prints what each duty did, in how many seconds, and the most memory the program had."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks duties", description=__doc__)
    parser.add_argument("--schools", type=int, default=30_000, help="1000000 is the goal's size")
    options = parser.parse_args(arguments)
    print(f"{server()}; {options.schools:,} subscriptions")
    fill(options.schools)
    print(f"{'duty':24}{'seconds':>9}{'MB':>7}  what it did", flush=True)
    duties: dict[str, Callable[..., Any]] = {
        "advance_subscriptions": advance_due,
        "renew_subscriptions": renew_due,
        "send_reminders": remind_due,
    }
    for again in ("", ", again"):
        for name, duty in duties.items():
            started = time.perf_counter()
            done = duty(at=NIGHT)
            taken = time.perf_counter() - started
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(f"{name + again:28}{taken:7.1f}{memory:7}  {done}", flush=True)


def fill(count: int) -> None:
    """So many schools in place of what the tables hold, as they are before the night."""
    told = {
        "at": NIGHT,
        "count": count,
        "password": keyring().seal("none"),
    }
    with connection.cursor() as cursor:
        # What the triggers would say of a million rows is not what is measured.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
        cursor.execute("DROP TABLE IF EXISTS school")
        for statement in (_SCHOOLS, *_ROWS):
            cursor.execute(statement, told)
        cursor.execute("SET session_replication_role = origin")
    for table in TABLES:
        execute(f"VACUUM ANALYZE {table}")
