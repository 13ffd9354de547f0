"""Remembering that an order's QR code was shown."""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection

from billing.enums import ViewChannel

# What is shown again within this time is the same look: pages are reloaded, programs ask often.
SAME_LOOK = timedelta(minutes=1)

_SHOWN = """
    INSERT INTO order_views AS seen (id, order_id, channel, first_at, last_at, times)
    VALUES (gen_random_uuid(), %(order)s, %(channel)s, %(at)s, %(at)s, 1)
    ON CONFLICT (order_id, channel) DO UPDATE
    SET last_at = EXCLUDED.last_at, times = seen.times + 1
    WHERE seen.last_at <= EXCLUDED.last_at - %(same)s
"""

logger = logging.getLogger(__name__)


def note_view(*, order_id: UUID, channel: ViewChannel, at: datetime) -> None:
    """Counts that the QR code was shown: one statement, which neither locks nor changes the order.

    Never raises for the database's sake: who wants to pay sees the code also where this can't be
    kept.
    """
    said: dict[str, Any] = {
        "order": order_id,
        "channel": channel.value,
        "at": at,
        "same": SAME_LOOK,
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute(_SHOWN, said)
    except DatabaseError:
        logger.exception("That the QR code of order %s was shown can't be kept", order_id)
