"""A statement's file between its preview and its import: an hour, for the one who sent it."""

import base64
import re
import zlib
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.sessions.backends.db import SessionStore

KEPT_SECONDS = 60 * 60
_KEY = re.compile(r"[a-z0-9]{32}", re.ASCII)
_ENTRY = "statement_file"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file as it was sent, the account it is of, and what its columns may be called.

    `columns` are pairs of a name as a `Mapping` has it and a label for people.
    """

    data: bytes
    filename: str
    account_number: str
    columns: tuple[tuple[str, str], ...]
    encoding: str = ""
    delimiter: str = ""


# A session of its own: every application server reaches it, it ends by itself, and the requests of
# the person's own session don't carry it along. Nobody is signed in by it.
def keep_file(*, file: KeptFile, by: str) -> str:
    """Keeps a file for whoever `by` names; returns the key that gives it back to them."""
    session = SessionStore()
    session.set_expiry(KEPT_SECONDS)
    data = base64.b64encode(zlib.compress(file.data)).decode()
    session[_ENTRY] = {**asdict(file), "data": data, "by": by}
    session.create()
    return str(session.session_key)


def kept_file(*, key: str, by: str) -> KeptFile | None:
    """The file that was kept under a key by the same person; None where it is gone."""
    entry = _entry(key, by)
    if entry is None:
        return None
    columns = tuple((name, label) for name, label in entry["columns"])
    data = zlib.decompress(base64.b64decode(entry["data"]))
    told = {name: entry[name] for name in ("filename", "account_number", "encoding", "delimiter")}
    return KeptFile(data=data, columns=columns, **told)


def forget_file(*, key: str, by: str) -> None:
    """Deletes a file that somebody kept."""
    if _entry(key, by) is not None:
        SessionStore(key).delete()


def _entry(key: str, by: str) -> dict[str, Any] | None:
    # The key comes from a form: it may be that of anybody's session.
    entry = SessionStore(key).get(_ENTRY) if _KEY.fullmatch(key) else None
    return entry if entry and entry["by"] == by else None
