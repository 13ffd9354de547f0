"""Users, instances and instance configs."""

from kitehub.models.configs import InstanceConfig
from kitehub.models.instances import Instance
from kitehub.models.users import User

__all__ = ["Instance", "InstanceConfig", "User"]
