"""Users, instances, and what belongs to an instance: config, keys, gates, moves, tombstone."""

from kitehub.models.api_keys import ApiKey
from kitehub.models.configs import InstanceConfig
from kitehub.models.gates import InstanceChange, InstanceGate
from kitehub.models.instances import Instance
from kitehub.models.leaving import ArchiveRun, Tombstone
from kitehub.models.moves import InstanceMove, InstanceSuspension
from kitehub.models.users import User

__all__ = [
    "ApiKey",
    "ArchiveRun",
    "Instance",
    "InstanceChange",
    "InstanceConfig",
    "InstanceGate",
    "InstanceMove",
    "InstanceSuspension",
    "Tombstone",
    "User",
]
