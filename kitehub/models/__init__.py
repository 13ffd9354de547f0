"""Users, instances, instance configs, API keys, and what is kept of schools that leave."""

from kitehub.models.api_keys import ApiKey
from kitehub.models.configs import InstanceConfig
from kitehub.models.instances import Instance
from kitehub.models.leaving import ArchiveRun, Tombstone
from kitehub.models.users import User

__all__ = ["ApiKey", "ArchiveRun", "Instance", "InstanceConfig", "Tombstone", "User"]
