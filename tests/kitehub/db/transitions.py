"""Which transitions the database lets a writer make."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

from django.db import IntegrityError, transaction

from kitehub.db.lifecycle import Lifecycle
from tests.kitehub.db.records import Writer, execute

Pair = tuple[str, str]


def taken_by_database(
    lifecycle: Lifecycle, row_in: Callable[[str], Any], write: Writer
) -> set[Pair]:
    """The transitions that the database lets a writer make, of all pairs of states."""
    return {
        (before, after)
        for before, after in permutations(lifecycle.follows, 2)
        if _takes(row_in(before), after, write, lifecycle)
    }


def _takes(row: Any, after: str, write: Writer, lifecycle: Lifecycle) -> bool:
    before, refusal = row.status, ""
    try:
        with transaction.atomic():
            write(row, "status", after)
    except IntegrityError as error:
        refusal = str(error)
    # Refused for this very reason, and nothing else was written; or taken.
    assert not refusal or f"{lifecycle.table}: {before} cannot become {after}" in refusal
    ((status,),) = execute(f"SELECT status::text FROM {lifecycle.table} WHERE id = %s", row.pk)
    assert status == (before if refusal else after)
    return not refusal
