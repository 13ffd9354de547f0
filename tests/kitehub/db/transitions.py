"""Where a lifecycle is said, and what the database makes of it."""

import re
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction

from kitehub.db.lifecycle import Lifecycle
from tests.kitehub.db.records import Writer, execute

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "lifecycles.md"

Pair = tuple[str, str]


def in_sql_file(lifecycle: Lifecycle, app: str) -> str:
    """The statement of the newest SQL file that makes the lifecycle's trigger."""
    opening = f"CREATE TRIGGER guard_{lifecycle.table}_status\n"
    folder = ROOT / app / "migrations" / "sql"
    texts = [path.read_text("utf-8") for path in sorted(folder.glob("*.up.sql"))]
    newest = [text for text in texts if opening in text][-1]
    start = newest.index(opening)
    return newest[start : newest.index(";\n", start) + 2]


def in_catalog(lifecycle: Lifecycle) -> list[Pair]:
    """The pairs that the trigger in the database was given."""
    ((definition,),) = execute(
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s::regclass"
        " AND tgname = %s AND tgenabled = 'O'",
        lifecycle.table,
        f"guard_{lifecycle.table}_status",
    )
    return re.findall(r"'(\w+)>(\w+)'", definition)


def in_documentation(lifecycle: Lifecycle) -> Iterator[str]:
    """The diagrams of this lifecycle's states on the page."""
    for diagram in re.findall(r"```mermaid\n(.*?)\n```", PAGE.read_text("utf-8"), re.DOTALL):
        states = set(re.findall(r"\b[A-Z_]{4,}\b", diagram))
        if states == set(lifecycle.follows):
            yield diagram


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
