"""Forms that outlive what they show: which version of a row a page was made from.

A page of a row carries a snapshot of it, signed so that nobody can claim to have seen what they
haven't. When the form comes back and the row has moved on, the snapshot tells what changed
meanwhile.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing

from kitehub.backoffice.differences import Difference, plain_values
from kitehub.db.base import Record

SALT = "kitehub.backoffice.stale"


class NoSnapshot(Exception):
    """What came with a form is no snapshot of its row."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A row's version, who last signed it, and the values that its page showed."""

    version: int
    who: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that changed meanwhile, and what the form has for it unless it was left alone."""

    difference: Difference
    yours: str | None


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What happened to a row while its form was open.

    `who` is the name that the row carries. `signed` is False where it carried the same one before:
    a program that names nobody leaves it as it was.
    """

    who: str
    signed: bool
    when: datetime
    changes: int
    conflicts: list[Conflict]


def snapshot_of(row: Record, names: Iterable[str]) -> Snapshot:
    """The row as it is in memory, by the fields that its page shows."""
    return Snapshot(row.version, row.updated_by or "", plain_values(row, names))


def sign(row: Record, snapshot: Snapshot) -> str:
    """The snapshot as text for a hidden input, good for this row alone."""
    content = {
        "row": _address(row),
        "version": snapshot.version,
        "who": snapshot.who,
        "values": snapshot.values,
    }
    return signing.dumps(content, salt=SALT, compress=True)


def read(text: str, *, row: Record) -> Snapshot:
    """What `sign` was given; raises NoSnapshot if the text is not from there or of another row."""
    try:
        content = signing.loads(text, salt=SALT)
    except signing.BadSignature as error:
        raise NoSnapshot(str(error)) from None
    if content["row"] != _address(row):
        raise NoSnapshot("of another row")
    # Pages from before it was kept are still open somewhere.
    return Snapshot(content["version"], content.get("who", ""), content["values"])


def _address(row: Record) -> str:
    return f"{row._meta.label_lower}:{row.pk}"
