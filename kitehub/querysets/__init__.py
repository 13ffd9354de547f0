"""Every reusable filter on users, instances, instance configs and API keys."""

from kitehub.querysets.api_keys import ApiKeyQuerySet
from kitehub.querysets.configs import InstanceConfigQuerySet
from kitehub.querysets.instances import InstanceQuerySet
from kitehub.querysets.tombstones import TombstoneQuerySet

__all__ = ["ApiKeyQuerySet", "InstanceConfigQuerySet", "InstanceQuerySet", "TombstoneQuerySet"]
