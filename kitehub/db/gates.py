"""Write gates: an instance's rows that may not be written for now, as the database says it.

A row of `instance_gates` in the database where an instance's rows live closes the instance's gate
there; triggers refuse every write, whoever sends it. kitehub/tenancy/gates.py closes and opens.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

# What the triggers raise. Class 55 is PostgreSQL's for what is not in the state that it needs.
SQLSTATE = "55K01"


class GateReason(TextChoices):
    """Why a row of `instance_gates` is there. WATCHED refuses nothing: it logs what is written."""

    SUSPENDED = "SUSPENDED", _("Suspended")
    MOVING = "MOVING", _("Being moved")
    MOVED = "MOVED", _("Moved")
    WATCHED = "WATCHED", _("Being copied")


class WritesRefused(OperationalError):
    """A write of an instance's rows while its gate is closed; nothing was written.

    `reason` says why. `retry` says whether the same write may succeed later: of an instance that is
    being moved, in a moment; of one that has moved, once its row is read again; of a suspended
    one, not before somebody resumes it.
    """

    def __init__(self, message: str, *, instance_id: UUID, reason: GateReason) -> None:
        super().__init__(message)
        self.instance_id = instance_id
        self.reason = reason

    @property
    def retry(self) -> bool:
        """Whether to try again, having read the instance's row anew."""
        return self.reason is not GateReason.SUSPENDED


def refusal_in(error: BaseException) -> WritesRefused | None:
    """What a psycopg error says, if it is a closed gate's; None of any other."""
    if not isinstance(error, psycopg.Error) or error.sqlstate != SQLSTATE:
        return None
    said = json.loads(error.diag.message_detail or "{}")
    return WritesRefused(
        error.diag.message_primary or str(error),
        instance_id=UUID(said["instance"]),
        reason=GateReason(said["reason"]),
    )


@contextmanager
def passing(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Lets a change of the schema mend rows of all instances, also of suspended ones.

    Not those that are being copied at the moment: their move would miss it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('kitehub.migrating', 'on', false)")
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('kitehub.migrating', '', false)")
