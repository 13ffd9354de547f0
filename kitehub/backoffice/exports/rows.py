"""Reading a list of any length in constant memory."""

from collections.abc import Generator, Sequence
from contextlib import closing, nullcontext
from datetime import timedelta
from time import monotonic
from typing import Any

from django.db import connections, transaction
from django.db.models import QuerySet
from django.utils import translation

from kitehub.backoffice.exports.columns import Prepared
from kitehub.db import locks

# Rows that are in memory at once.
CHUNK = 2_000

# A transaction keeps old rows from being cleared away: no reader is as slow as that, and none
# waits so long between two chunks.
LONGEST = timedelta(minutes=30)
IDLE = timedelta(minutes=5)

# The values of so many rows, column by column.
Chunk = list[Sequence[Any]]


class ExportTooSlow(Exception):
    """Whoever reads an export has taken longer than LONGEST."""


class ExportRunning(Exception):
    """The same person has an export under way."""


def is_running(rows: QuerySet[Any], reader: Any) -> bool:
    """Whether somebody has an export of this database under way."""
    return not locks.take_within(connections[rows.db], _lock_of(reader))


def chunks(
    rows: QuerySet[Any], columns: Sequence[Prepared], *, reader: Any
) -> Generator[Chunk, None, None]:
    """The rows in their order, as of one moment, all by one query and its cursor.

    The cursor lives in a transaction, so that a pooler which lends connections by the transaction
    may stand before the server, also where DISABLE_SERVER_SIDE_CURSORS is set for others' sake.
    Raises ExportRunning where the person with the key `reader` has one under way, ExportTooSlow
    after LONGEST; the server ends it where nobody asks for a chunk within IDLE.
    """
    began = monotonic()
    language = translation.get_language()
    selected = rows.values_list(*(column.expression for column in columns))
    with transaction.atomic(using=selected.db):
        if is_running(selected, reader):
            raise ExportRunning
        _end_when_idle(selected.db)
        # What QuerySet.iterator() runs, without its choice of the cursor.
        compiler: Any = selected.query.get_compiler(selected.db)
        found = compiler.execute_sql(chunked_fetch=True, chunk_size=CHUNK)
        # Where Django knows that there is no row it asks nothing.
        with closing(found) if hasattr(found, "close") else nullcontext():
            for part in found:
                if monotonic() - began > LONGEST.total_seconds():
                    raise ExportTooSlow
                # Between chunks others may have the thread.
                with translation.override(language):
                    written: Chunk = [
                        list(column.write(values))
                        for column, values in zip(columns, zip(*part, strict=True), strict=True)
                    ]
                yield written


def _lock_of(reader: Any) -> str:
    return f"export of {reader}"


def _end_when_idle(using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true)",
            [f"{IDLE.total_seconds():.0f}s"],
        )
