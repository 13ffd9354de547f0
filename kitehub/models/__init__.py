"""Users, instances, instance configs and API keys."""

from kitehub.models.api_keys import ApiKey
from kitehub.models.configs import InstanceConfig
from kitehub.models.instances import Instance
from kitehub.models.users import User

__all__ = ["ApiKey", "Instance", "InstanceConfig", "User"]
