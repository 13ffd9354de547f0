"""Reading a list of any length in constant memory."""

from collections.abc import Generator, Sequence
from contextlib import closing, nullcontext
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation

from kitehub.backoffice.exports.columns import Prepared

# Rows that are in memory at once.
CHUNK = 2_000

# The values of so many rows, column by column.
Chunk = list[Sequence[Any]]


def chunks(rows: QuerySet[Any], columns: Sequence[Prepared]) -> Generator[Chunk, None, None]:
    """The rows in their order, as of one moment, all by one query and its cursor.

    The cursor lives in a transaction, so that a pooler which lends connections by the transaction
    may stand before the server, also where DISABLE_SERVER_SIDE_CURSORS is set for others' sake.
    """
    language = translation.get_language()
    selected = rows.values_list(*(column.expression for column in columns))
    with transaction.atomic(using=selected.db):
        # What QuerySet.iterator() runs, without its choice of the cursor.
        compiler: Any = selected.query.get_compiler(selected.db)
        found = compiler.execute_sql(chunked_fetch=True, chunk_size=CHUNK)
        # Where Django knows that there is no row it asks nothing.
        with closing(found) if hasattr(found, "close") else nullcontext():
            for part in found:
                # Between chunks others may have the thread.
                with translation.override(language):
                    written: Chunk = [
                        list(column.write(values))
                        for column, values in zip(columns, zip(*part, strict=True), strict=True)
                    ]
                yield written
