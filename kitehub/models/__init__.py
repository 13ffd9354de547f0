"""Users, instances with their configs, and where their rows may be written."""

from kitehub.models.configs import InstanceConfig
from kitehub.models.gates import InstanceChange, InstanceGate
from kitehub.models.instances import Instance
from kitehub.models.moves import InstanceMove, InstanceSuspension
from kitehub.models.users import User

__all__ = [
    "Instance",
    "InstanceChange",
    "InstanceConfig",
    "InstanceGate",
    "InstanceMove",
    "InstanceSuspension",
    "User",
]
