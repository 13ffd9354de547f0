"""Who acts and why, told to the database's triggers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError
from psycopg.pq import TransactionStatus

ACTOR_LENGTH = 100
REASON_LENGTH = 500
# One round trip: settings are read before they are set.
_SWAP = """
    WITH was AS MATERIALIZED (
        SELECT COALESCE(current_setting('kitehub.actor', true), '') AS actor,
            COALESCE(current_setting('kitehub.reason', true), '') AS reason,
            COALESCE(current_setting('kitehub.at', true), '') AS at
    )
    SELECT actor, reason, at,
        set_config('kitehub.actor', %(actor)s, true),
        set_config('kitehub.reason', %(reason)s, true),
        set_config('kitehub.at', COALESCE(%(at)s, at), true)
    FROM was
"""


@contextmanager
def acting(
    actor: str,
    reason: str = "",
    *,
    at: datetime | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> Iterator[None]:
    """Every row written inside carries this actor, and every history row this reason.

    With `at`, triggers that ask whether something is over go by that clock rather than their own.

    The settings are the transaction's own (`SET LOCAL`), so nothing leaks to the next user of a
    pooled connection; nested, the outer ones come back at the end, also after an error.

    Raises TransactionManagementError outside a transaction, where the setting would be lost at
    once, and ValueError for an actor that is empty or longer than the columns that keep it.
    """
    connection = connections[using]
    if not connection.in_atomic_block:
        raise TransactionManagementError("acting() needs a transaction: open atomic() around it.")
    if not actor.strip() or len(actor) > ACTOR_LENGTH or "\x00" in actor:
        raise ValueError(f"An actor has 1 to {ACTOR_LENGTH} characters.")
    if len(reason) > REASON_LENGTH or "\x00" in reason:
        raise ValueError(f"A reason has at most {REASON_LENGTH} characters.")
    before = _swap(connection, actor, reason, at.isoformat() if at else None)
    try:
        yield
    finally:
        # A broken transaction takes no statement, and its rollback takes the settings with it.
        if not connection.needs_rollback and _takes_statements(connection):
            _swap(connection, *before)


def _takes_statements(connection: BaseDatabaseWrapper) -> bool:
    """Whether the transaction is neither broken nor over."""
    raw = connection.connection
    return raw is not None and raw.info.transaction_status == TransactionStatus.INTRANS


def _swap(
    connection: BaseDatabaseWrapper, actor: str, reason: str, at: str | None
) -> tuple[str, str, str]:
    """Sets all three and returns what they were; an unset setting reads as an empty one.

    An `at` of None leaves the clock as it is.
    """
    with connection.prepared_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(_SWAP, {"actor": actor, "reason": reason, "at": at})
        was = cursor.fetchone()
    return was[0], was[1], was[2]
