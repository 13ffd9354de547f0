"""Putting back a store's archived rows. Its triggers run, and end where the archive says.

An event that comes back is counted once more, and a reservation takes its room again; so the usage
row is first made to have room for any order of them, and gets the archive's numbers last. Nobody
sees it meanwhile: all of it is one transaction.
"""

from psycopg import sql

from kitehub.db.json_lines import Staged

_MOST = 2**63 - 1
# Any number of events below 2^40 bytes can be added to the middle, or taken off, in any order.
_MIDDLE, _LARGE = 2**62, 2**40
_ROOM = """
    INSERT INTO storage_usage (instance_id, limit_bytes) VALUES (%(id)s, 0)
    ON CONFLICT (instance_id) DO NOTHING
"""
_SET = """
    UPDATE storage_usage SET used_bytes = %(used)s, limit_bytes = %(limit)s
    WHERE instance_id = %(id)s
"""


def load_events(staged: Staged, instance_id: str) -> None:
    """Inserts the events; those too large to be summed one by one, each beside enough room."""
    size = _change(staged)
    large = sql.SQL("abs({}) >= {}").format(size, sql.Literal(_LARGE))
    _set(staged, instance_id, used=_MIDDLE)
    staged.insert(sql.SQL("NOT ({})").format(large))
    for event_id, negative in staged.select(sql.SQL("r.id, {} < 0").format(size), large):
        _set(staged, instance_id, used=_MOST if negative else 0)
        staged.insert(sql.SQL("r.id = {}").format(sql.Literal(event_id)))


def load_reservations(staged: Staged, instance_id: str) -> None:
    """Inserts the reservations, for which there is room whatever the limit is by now."""
    _set(staged, instance_id, used=0)
    staged.insert()


def load_usage(staged: Staged, instance_id: str) -> None:
    """Gives the usage row, which triggers have made, what the archive says of it."""
    mine = sql.SQL("storage_usage.instance_id = {}").format(sql.Literal(instance_id))
    _set(staged, instance_id, used=0)
    staged.cursor.execute(
        "UPDATE storage_usage SET reserved_bytes = 0 WHERE instance_id = %s", [instance_id]
    )
    if not staged.overwrite(mine):
        staged.cursor.execute("DELETE FROM storage_usage WHERE instance_id = %s", [instance_id])


def _change(staged: Staged) -> sql.Composable:
    """What an event adds, as a number that can't overflow."""
    corrected = " + COALESCE(r.correction_bytes, 0)" if staged.has("correction_bytes") else ""
    return sql.SQL(
        "(CASE r.operation WHEN 'DELETE' THEN -r.file_size_bytes::numeric"
        " ELSE r.file_size_bytes::numeric END" + corrected + ")"
    )


def _set(staged: Staged, instance_id: str, *, used: int) -> None:
    staged.cursor.execute(_ROOM, {"id": instance_id})
    staged.cursor.execute(_SET, {"id": instance_id, "used": used, "limit": _MOST})
