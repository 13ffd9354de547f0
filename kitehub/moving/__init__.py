"""Suspending instances, and moving them from one database to another. docs/scaling.md tells it.

`suspension` closes and opens, `places` knows the databases of a move, `copying` takes rows from one
to the other and compares them, `run` goes through a move's steps, `ending` aborts one or removes
what it left at the source.
"""

from kitehub.moving.copying import Different
from kitehub.moving.ending import abort, purge
from kitehub.moving.places import MoveRefused
from kitehub.moving.run import Plan, move, plan
from kitehub.moving.suspension import SuspensionRefused, resume, suspend
from kitehub.tenancy.gates import WritersAtWork

__all__ = [
    "Different",
    "MoveRefused",
    "Plan",
    "SuspensionRefused",
    "WritersAtWork",
    "abort",
    "move",
    "plan",
    "purge",
    "resume",
    "suspend",
]
