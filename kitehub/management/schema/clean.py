"""`schema clean`: drops what migrations made, on a developer's database."""

import re

from django.conf import settings
from django.db import Error, transaction

from kitehub.db import catalog, scratch
from kitehub.db.catalog import Definition, Key
from kitehub.management.schema.live import Live
from kitehub.management.schema.outcome import Refused

_WORD = re.compile(r"\w+")


def clean(live: Live) -> tuple[Key, ...]:
    """Drops what the recorded migrations made, in one transaction, and returns what that was.

    Nobody else's tables are touched: where one of them needs one of ours, nothing is dropped.
    Raises Refused for that, and with DEBUG off or only assumed.
    """
    if not settings.DEBUG or settings.DEBUG_IS_ASSUMED:
        raise Refused(
            "clean drops every table and needs DJANGO_DEBUG=on, said aloud where DATABASE_URL "
            "names the database."
        )
    if live.unknown:
        strangers = ", ".join(".".join(key) for key in live.unknown)
        raise Refused(f"The database has migrations that this code doesn't know: {strangers}.")
    if not live.recorded:
        return ()
    (made,) = scratch.catalogs(live.connection, live.recorded)
    present = catalog.read(live.connection)
    ours = tuple(key for key in present if key.free == key and key in made)
    try:
        with transaction.atomic(using=live.connection.alias), live.connection.cursor() as cursor:
            for statement in _statements({key: present[key] for key in ours}, live):
                cursor.execute(statement)
    except Error as error:
        cause = getattr(error.__cause__, "diag", None)
        if cause is None or cause.sqlstate != "2BP01":  # dependent objects still exist
            raise
        raise Refused(
            "Something that KiteHub didn't make needs something that it did; nothing was dropped.",
            (cause.message_detail or "").splitlines(),
        ) from error
    return ours


def _statements(items: dict[Key, Definition], live: Live) -> list[str]:
    """DROP for all items of a kind at once, in an order in which nothing is needed any more."""
    quote = live.connection.ops.quote_name
    views = [key for key in items if key.kind == "view"]
    stored = [key for key in views if items[key].get("kind") == "materialized"]
    routines = [key.name for key in items if key.kind == "function"]
    of_rows = _routines_of_rows(items)
    groups = [
        ("VIEW", [quote(key.name) for key in views if key not in stored]),
        ("MATERIALIZED VIEW", [quote(key.name) for key in stored]),
        # Triggers need the other routines, and these need the tables.
        ("ROUTINE", of_rows),
        ("TABLE", [quote(key.table) for key in items if key.kind == "table"]),
        ("SEQUENCE IF EXISTS", [quote(key.name) for key in items if key.kind == "sequence"]),
        ("ROUTINE", [name for name in routines if name not in of_rows]),
        ("TYPE", [quote(key.name) for key in items if key.kind in {"enum", "type"}]),
    ]
    return [f"DROP {kind} {', '.join(names)}" for kind, names in groups if names]


def _routines_of_rows(items: dict[Key, Definition]) -> list[str]:
    """The routines that take or return rows of a table."""
    tables = {key.table for key in items if key.kind == "table"}
    return [
        key.name
        for key, definition in items.items()
        if key.kind == "function"
        and tables & set(_WORD.findall(f"{definition['arguments']} {definition.get('result')}"))
    ]
