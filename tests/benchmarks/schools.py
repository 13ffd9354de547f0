"""Schools by the thousand: owner, subscription, open order, a bank line that pays it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from billing.order_codes import draw_code
from kitehub.db.secrets import keyring
from kitehub.enums import Tier
from kitehub.plans import PLANS
from tests.benchmarks.sql import execute

TIER = Tier.STANDARD
PRICE = PLANS[TIER].monthly_price
TABLES = (
    *("kitehub_users", "instances", "subscriptions", "subscription_history"),
    *("subscription_periods", "payment_orders", "bank_transfers", "payment_allocations"),
    *("receipts", "receipt_counters"),
)
_SCHOOLS = """
CREATE TEMPORARY TABLE school AS
SELECT n, gen_random_uuid() AS instance_id, gen_random_uuid() AS owner_id,
    gen_random_uuid() AS subscription_id, gen_random_uuid() AS order_id,
    gen_random_uuid() AS transfer_id,
    ends_at - interval '1 month' AS starts_at, ends_at
FROM generate_series(1, %(count)s) n, LATERAL (SELECT {ends} AS ends_at) AS paid
"""
_ROWS = (
    """
    INSERT INTO kitehub_users
        (id, email, password, full_name, is_superuser, is_staff, is_active)
    SELECT owner_id, 'chu-truong-' || n || '@example.vn', '!', 'Nguyễn Văn ' || n,
        false, false, true
    FROM school
    """,
    """
    INSERT INTO instances
        (id, subdomain, organization_name, owner_id, tier, status, database_url,
         database_username, database_password, subscription_id, subscription_expires_at)
    SELECT instance_id, 'truong-' || n, 'Trung tâm Anh ngữ Sao Mai ' || n, owner_id, %(tier)s,
        'ACTIVE', 'postgres://pool/kitehub', 'kitehub', %(password)s, subscription_id, ends_at
    FROM school
    """,
    """
    INSERT INTO subscriptions
        (id, instance_id, tier, monthly_price, status, current_period_start, current_period_end)
    SELECT subscription_id, instance_id, %(tier)s, %(price)s, 'ACTIVE', starts_at, ends_at
    FROM school
    """,
    """
    INSERT INTO subscription_periods (subscription_id, kind, tier, starts_at, ends_at, created_by)
    SELECT subscription_id, 'CARRIED', %(tier)s, starts_at, ends_at, 'benchmark' FROM school
    """,
    """
    INSERT INTO payment_orders
        (id, order_id, type, user_id, instance_id, amount, tier, payment_content, created_at,
         expires_at, purpose, months, monthly_price, subject, memo, bank_bin, account_number,
         account_name)
    SELECT order_id, code, 'SUBSCRIPTION', owner_id, instance_id, %(price)s, %(tier)s,
        'KITEHUB ' || code || ' chu-truong-' || n || '@example.vn', %(at)s,
        %(at)s::timestamptz + interval '7 days', 'PERIOD', 1, %(price)s, 'subscription', code,
        %(bin)s, %(account)s, 'CONG TY KITEHUB'
    FROM school JOIN code USING (n) WHERE {asked}
    """,
)
_LINES = """
    INSERT INTO bank_transfers
        (id, provider, provider_id, account_number, bank, amount, memo, counterparty_name,
         counterparty_account, reference, transferred_at, virtual_account, details,
         counterparty_bank, raw_body, note)
    SELECT transfer_id, 'SEPAY', n::text, %(account)s, '970436', %(price)s,
        'MBVCB.3278907687.' || code || '.CT tu 0071000123456 NGUYEN VAN A', 'NGUYEN VAN A',
        '0071000123456', 'FT26' || lpad(n::text, 8, '0'), %(at)s, '', '', '', '', ''
    FROM school JOIN code USING (n) ORDER BY n
"""


@dataclass(frozen=True, slots=True)
class School:
    """A school: the code of its open order, and the id of the bank line that pays it."""

    number: int
    code: str
    transfer_id: UUID


def fill(
    count: int,
    *,
    at: datetime,
    ends: str = "%(at)s::timestamptz + interval '2 days'",
    asked: str = "true",
    lines: bool = False,
) -> None:
    """Puts so many schools in place of what the tables hold.

    `ends` is the end of a school's paid month, and `asked` whether it has an open order for the
    next one, both SQL of its number `n`; with `lines` there is a bank line for each order.
    """
    clear()
    values = {
        "at": at,
        "count": count,
        "tier": TIER,
        "price": PRICE,
        "bin": settings.KITEHUB_BANK_BIN,
        "account": settings.KITEHUB_BANK_ACCOUNT,
        "password": keyring().seal("none"),
    }
    statements = (*_ROWS, *([_LINES] if lines else []))
    with transaction.atomic(), connection.cursor() as cursor:
        # As rows that are there: nothing is logged or looked at again.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(_SCHOOLS.format(ends=ends), values)
        cursor.execute("CREATE TEMPORARY TABLE code (n int PRIMARY KEY, code text)")
        with cursor.copy("COPY code FROM STDIN") as copy:
            for row in enumerate(codes(count), 1):
                copy.write_row(row)
        cursor.execute("ANALYZE school, code")
        for statement in statements:
            cursor.execute(statement.format(asked=asked), values)
    for table in TABLES:
        execute(f"VACUUM ANALYZE {table}")
    execute("CHECKPOINT")


def listed() -> list[School]:
    """The schools that `fill` made."""
    rows = execute("SELECT n, code, transfer_id FROM school JOIN code USING (n) ORDER BY n")
    return [School(*row) for row in rows]


def codes(count: int) -> Iterator[str]:
    """So many order codes, each another one, and the same ones each time."""
    choose = Random(count).choice  # noqa: S311
    drawn: set[str] = set()
    while len(drawn) < count:
        code = draw_code(choose)
        if code not in drawn:
            drawn.add(code)
            yield code


def clear() -> None:
    """Empties the tables, also those that take nothing back."""
    execute("DROP TABLE IF EXISTS school, code")
    execute(
        "SET session_replication_role = replica;"
        f" TRUNCATE {', '.join(TABLES)} CASCADE; RESET session_replication_role"
    )
