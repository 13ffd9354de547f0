"""`migrate --lock-timeout`: a table that others hold stops a migration, and harms nothing."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.management.schema import live as records
from tests.migrations import rows
from tests.migrations.commands import manage, schema
from tests.migrations.databases import execute, go_to, newest, url

ORDERS = ("billing", "0004_v9_timestamptz")
TIMES = """
    SELECT DISTINCT data_type FROM information_schema.columns
    WHERE table_name IN ('payment_orders', 'subscriptions') AND data_type LIKE 'timestamp%'
"""


@pytest.fixture
def at_v8(empty: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    go_to(empty, 8)
    rows.fill(empty, 8)
    return empty


@pytest.mark.parametrize(
    "use",
    ["SELECT FROM subscriptions", "LOCK TABLE subscriptions"],
    ids=["read by a long transaction", "locked"],
)
def test_table_in_use_ends_migrate_with_one_line_and_leaves_nothing_half_done(
    at_v8: BaseDatabaseWrapper, use: str
) -> None:
    with psycopg.connect(url(at_v8)) as other:
        other.execute(use)
        gave_up = manage(at_v8, "migrate", "--lock-timeout", "200ms")

        assert gave_up.code == 1
        assert "has a table locked by somebody else" in gave_up.error
        assert gave_up.error.count("\n") == 1
        assert ORDERS not in records.read(at_v8).recorded
        # What it had changed before it came to the table is free and as it was.
        other.execute("SET LOCAL lock_timeout = '5s'")
        other.execute("UPDATE payment_orders SET amount = amount + 1")
        other.commit()
    assert execute(at_v8, TIMES) == [("timestamp without time zone",)]
    assert schema(at_v8, "validate").code == 0

    went_on = manage(at_v8, "migrate", "--lock-timeout", "200ms")

    assert (went_on.code, went_on.error) == (0, "")
    assert execute(at_v8, TIMES) == [("timestamp with time zone",)]
    assert schema(at_v8, "info", "--json").json["current"] == f"V{newest()}"
    assert schema(at_v8, "validate").code == 0


def test_table_that_becomes_free_in_time_is_waited_for(at_v8: BaseDatabaseWrapper) -> None:
    with psycopg.connect(url(at_v8)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("LOCK TABLE subscriptions")
        ended = pool.submit(manage, at_v8, "migrate", *ORDERS, "--lock-timeout", "0")
        waiting = (
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'subscriptions'::regclass"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        while not other.execute(waiting).fetchone()[0]:
            assert not ended.done()
            time.sleep(0.05)
        other.rollback()
        assert ended.result().code == 0
