"""Rows for every table of the plan, written as SQL that each version that has the table takes."""

from collections.abc import Mapping

from django.db.backends.base.base import BaseDatabaseWrapper

from tests.migrations.databases import execute

ONE = "10000000-0000-7000-8000-00000000000{}".format
TWO = "20000000-0000-7000-8000-00000000000{}".format

# By the version that makes the table. Times are given, so that no default hides a changed one.
ROWS: Mapping[int, str] = {
    1: f"""
        INSERT INTO instance_configs (instance_id, tier, features, created_at, updated_at)
        VALUES ('{ONE(1)}', 'BASIC', '{{"media": false}}', '2026-01-31 23:30:00', '2026-02-01'),
               ('{ONE(2)}', 'PREMIUM', '{{"media": true}}', '2026-02-28 00:00:00.000001', now());
    """,
    2: f"""
        INSERT INTO payment_orders (order_id, type, user_id, instance_id, amount, tier, status,
                                    payment_content, created_at, expires_at, paid_at,
                                    transaction_reference)
        VALUES ('ORD-1', 'SUBSCRIPTION', '{TWO(1)}', '{ONE(1)}', 299000, 'BASIC', 'PENDING',
                'KITEHUB ORD-1 an@example.vn', '2026-01-30 16:59:59', '2026-01-31 16:59:59', NULL, NULL),
               ('ORD-2', 'ENROLLMENT', '{TWO(2)}', NULL, 1, NULL, 'PAID', 'HOCPHI 7 Bình',
                '2026-01-30 17:00:00', '2026-01-31 17:00:00',
                '2026-01-30 17:05:00', 'FT26030000000001');
    """,
    3: f"""
        INSERT INTO instances (id, subdomain, organization_name, owner_id, database_url,
                               database_username, database_password, bank_code, trial_expires_at)
        VALUES ('{ONE(1)}', 'sao-mai', 'Trung tâm Sao Mai', '{TWO(1)}', 'postgres://db/kitehub',
                'kitehub', '', '970436', '2026-02-14 09:00:00'),
               ('{ONE(2)}', 'hoa-sen', 'Trường Hoa Sen', '{TWO(2)}', 'postgres://db/kitehub',
                'kitehub', '', NULL, NULL);
    """,
    4: f"""
        INSERT INTO guest_sessions (session_id, instance_id, created_at, expires_at, source)
        VALUES ('s-1', '{ONE(1)}', '2026-03-01 00:00:00', '2026-03-01 00:30:00', 'organic');
        INSERT INTO guest_events (session_id, instance_id, event_type, timestamp, metadata)
        VALUES ('s-1', '{ONE(1)}', 'page_view', '2026-03-01 00:00:01', '{{"path": "/"}}'),
               ('s-1', '{ONE(1)}', 'contact_click', '2026-03-01 00:01:01', NULL);
    """,
    5: f"""
        INSERT INTO branding_jobs (job_id, instance_id, organization_name, status)
        VALUES ('job-1', '{ONE(1)}', 'Sao Mai', 'COMPLETED'),
               ('job-2', '{ONE(2)}', 'Hoa Sen', 'PROCESSING');
    """,
    6: f"""
        INSERT INTO subscriptions (instance_id, tier, monthly_price, status, current_period_start,
                                   current_period_end)
        VALUES ('{ONE(1)}', 'BASIC', 299000, 'TRIAL', '2026-01-31 17:00:00', '2026-02-28 17:00:00');
        UPDATE subscriptions SET status = 'ACTIVE', updated_by = 'Bình';
    """,
    7: f"""
        INSERT INTO storage_events (instance_id, file_type, file_name, file_url, file_size_bytes,
                                    operation)
        VALUES ('{ONE(1)}', 'IMAGE', 'a.png', 'https://files.vn/a.png', 2048, 'UPLOAD'),
               ('{ONE(1)}', 'IMAGE', 'a.png', 'https://files.vn/a.png', 1024, 'DELETE');
    """,
}
TABLES: Mapping[int, tuple[str, ...]] = {
    1: ("instance_configs",),
    2: ("payment_orders",),
    3: ("instances",),
    4: ("guest_sessions", "guest_events"),
    5: ("branding_jobs",),
    6: ("subscriptions", "subscription_history"),
    7: ("storage_usage", "storage_events"),
}


def fill(connection: BaseDatabaseWrapper, upto: int) -> None:
    """Writes rows into every table that the plan has at a version."""
    for version in range(1, min(upto, max(ROWS)) + 1):
        execute(connection, ROWS[version])


def tables(upto: int) -> list[str]:
    """The plan's tables at a version."""
    return [table for version, names in TABLES.items() if version <= upto for table in names]


def snapshot(connection: BaseDatabaseWrapper, upto: int) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the plan's tables, with the transaction that wrote it and its place on disk."""
    return {
        table: execute(
            connection, f"SELECT xmin::text, ctid::text, t::text FROM {table} t ORDER BY ctid"
        )
        for table in tables(upto)
    }
