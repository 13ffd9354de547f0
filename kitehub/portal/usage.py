"""What a school uses of what its tier limits, told by the apps that count it.

An app that counts something says so when it starts; a page that shows what a lower tier would mean
asks here, so that neither app knows the other.
"""

from collections.abc import Callable
from uuid import UUID

from django.db import DatabaseError

from kitehub.tenancy import NoInstance

Count = Callable[[UUID], int | None]
_counts: dict[str, Count] = {}


def counts(limitation: str, count: Count) -> None:
    """From now on `count` says how much of a limitation of the plans an instance uses.

    It is called within `tenancy.use` of the instance.
    """
    _counts[limitation] = count


def usage_of(instance_id: UUID) -> dict[str, int | None]:
    """What an instance uses, by limitation; None where that can't be told at the moment."""
    return {limitation: _asked(count, instance_id) for limitation, count in _counts.items()}


def _asked(count: Count, instance_id: UUID) -> int | None:
    try:
        return count(instance_id)
    except (DatabaseError, NoInstance):  # the school's own database is away, or isn't known
        return None
