"""Runs of bulk actions: what somebody saw before one, that it runs once, what has come of it.

A page that asks carries the key of its run and a digest of what it shows, signed. Whoever takes the
key first runs; all others, a second click among them, are shown what has come of it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import signing
from django.utils.crypto import get_random_string

SALT = "kitehub.backoffice.runs"
# A page that asks is good for so long. A taken key outlives it, or it could be taken again.
ASKED_FOR = timedelta(hours=12)
KEPT_FOR = timedelta(hours=24)
_ENTRY = "bulk_run"
_KEY_LENGTH = 32
_KEY_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class Asked(NamedTuple):
    """What a page asked: the key of its run, and the digest of what it showed."""

    key: str
    digest: str


class Outcome(NamedTuple):
    """What will come of a row, or has: whether it is done, and in words what, or why not."""

    row: str
    done: bool
    said: str


@dataclass(slots=True, kw_only=True)
class Run:
    """A run of a bulk action, and what has come of its rows so far.

    `by` and `of` are whose and of which model; `back` is the address of the list.
    """

    by: str
    of: str
    title: str
    meaning: str
    back: str
    rows: int
    over: bool = False
    outcomes: list[Outcome] = field(default_factory=list)


def digest(*, told: Iterable[Any]) -> str:
    """A digest of what a page shows."""
    return hashlib.sha256(repr(list(told)).encode()).hexdigest()


def sign(*, digest: str, by: str) -> str:
    """A new run's key and what its page shows, as text for a hidden input of one person's page."""
    key = get_random_string(_KEY_LENGTH, _KEY_LETTERS)
    return signing.dumps([key, digest], salt=f"{SALT}:{by}")


def read(text: str, *, by: str) -> Asked | None:
    """What `sign` was given; None of what isn't from there, is another person's or too old."""
    try:
        return Asked(*signing.loads(text, salt=f"{SALT}:{by}", max_age=ASKED_FOR))
    except signing.BadSignature:
        return None


# A session of its own, in which nobody is signed in. Its primary key lets one in of two who come at
# once, and the person's own session, which is written whole, would bring a taken key back.
def take(run: Run, *, key: str, at: datetime) -> bool:
    """Begins a run; returns whether it is the first with this key."""
    _row, created = Session.objects.get_or_create(
        session_key=key,
        defaults={"session_data": _encoded(run), "expire_date": at + KEPT_FOR},
    )
    return created


def keep(run: Run, *, key: str) -> None:
    """Keeps what has come of a run so far."""
    Session.objects.filter(session_key=key).update(session_data=_encoded(run))


def find(*, key: str, by: str, of: str) -> Run | None:
    """What has come of somebody's run on a model; None of no such run, or one that is forgotten."""
    row = Session.objects.filter(session_key=key).first()
    told = row.get_decoded().get(_ENTRY) if row else None
    if not told or (told["by"], told["of"]) != (by, of):
        return None
    return Run(**{**told, "outcomes": [Outcome(*each) for each in told["outcomes"]]})


def _encoded(run: Run) -> str:
    return SessionStore().encode({_ENTRY: asdict(run)})
