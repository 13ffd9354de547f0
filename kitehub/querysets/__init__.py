"""Every reusable filter on users, instances, instance configs and API keys."""

from kitehub.querysets.api_keys import ApiKeyQuerySet
from kitehub.querysets.configs import InstanceConfigQuerySet
from kitehub.querysets.instances import InstanceQuerySet

__all__ = ["ApiKeyQuerySet", "InstanceConfigQuerySet", "InstanceQuerySet"]
