"""Payment orders by the hundred thousand."""

from tests.benchmarks.sql import execute

# As they come: each expires a little after the one before. Nobody owns them.
_FILL = """
INSERT INTO {table} (order_id, type, user_id, instance_id, amount, tier, payment_content,
                     created_at, updated_at, expires_at)
SELECT 'KH' || lpad(n::text, 8, '0'), 'SUBSCRIPTION', gen_random_uuid(), gen_random_uuid(),
    299000, 'BASIC', 'KITEHUB KH' || lpad(n::text, 8, '0') || ' nguoi-dung@example.vn',
    moment, moment, moment + interval '24 hours'
FROM (SELECT n, now() - interval '30 days' + n * interval '1 second' AS moment
      FROM generate_series(1, %s) n) series
"""


def fill(table: str, count: int) -> None:
    """Puts so many pending orders, all overdue, in place of what the table holds."""
    # Other tables refer to it, and those that are append-only refuse to be emptied.
    execute("SET session_replication_role = replica")
    execute(f"TRUNCATE {table} CASCADE")
    execute("SET session_replication_role = origin")
    execute(_FILL.format(table=table), count)


def settle(*tables: str) -> None:
    """Leaves the tables and the server without work that would fall into a measurement."""
    for table in tables:
        execute(f"VACUUM ANALYZE {table}")
    execute("CHECKPOINT")
