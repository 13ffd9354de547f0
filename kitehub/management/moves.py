"""What the commands that move and suspend share: errors in one line, and a move in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.db import Error

from kitehub.models import Instance, InstanceMove
from kitehub.moving import Different, MoveRefused, Plan, SuspensionRefused, WritersAtWork, places
from kitehub.tenancy import BadPlacement
from kitehub.tenancy.fanout import explained
from kitehub.tenancy.placement import POOL

_REFUSED = (BadPlacement, Different, MoveRefused, SuspensionRefused, WritersAtWork)


@contextmanager
def one_line(instance: Instance) -> Iterator[None]:
    """Turns what an operator can mend into a CommandError."""
    try:
        yield
    except _REFUSED as error:
        raise CommandError(f"{instance.subdomain}: {error}") from error
    except Error as error:
        raise CommandError(f"{instance.subdomain}: {explained(error, POOL)}") from error


def plan_as_data(found: Plan) -> dict[str, Any]:
    """What a move would do, for programs."""
    return {
        "step": None,
        "from": str(found.source),
        "to": str(found.target),
        "makes_target": found.target.makes,
        "rows": found.rows,
    }


def move_as_data(found: InstanceMove) -> dict[str, Any]:
    """A move as it is, for programs."""
    return {
        "step": str(found.step),
        "from": str(places.source_of(found)),
        "to": str(places.target_of(found)),
        "makes_target": found.makes_target,
        "rows": found.row_counts,
        "refused_ms": found.refused_ms,
    }


def in_words(data: dict[str, Any]) -> list[str]:
    """The same, a line a fact."""
    rows = ", ".join(f"{table} {count}" for table, count in sorted(data["rows"].items()))
    lines = [f"from {data['from']} to {data['to']}", f"rows: {rows or 'none'}"]
    if data.get("refused_ms") is not None:
        lines.append(f"writes were refused for {data['refused_ms']} ms")
    return lines
