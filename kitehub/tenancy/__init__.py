"""Where an instance's tables live, and for which instance code works.

    with tenancy.use(school):
        GuestEvent.objects.count()      # the school's events, in the school's database

Outside, code means the pool and all who live there. docs/scaling.md has the whole picture.
"""

from kitehub.db.gates import GateReason, WritesRefused
from kitehub.tenancy.context import (
    AcrossDatabases,
    NoInstance,
    OtherInstance,
    atomic,
    current,
    require,
    use,
)
from kitehub.tenancy.placement import (
    POOL,
    BadPlacement,
    alias_of,
    database_of,
    is_provisioned,
    is_silo,
    pool_url,
    same_database,
)

__all__ = [
    "POOL",
    "AcrossDatabases",
    "BadPlacement",
    "GateReason",
    "NoInstance",
    "OtherInstance",
    "WritesRefused",
    "alias_of",
    "atomic",
    "current",
    "database_of",
    "is_provisioned",
    "is_silo",
    "pool_url",
    "require",
    "same_database",
    "use",
]
