"""Every reusable filter on users, instances and instance configs."""

from kitehub.querysets.configs import InstanceConfigQuerySet
from kitehub.querysets.instances import InstanceQuerySet
from kitehub.querysets.tombstones import TombstoneQuerySet

__all__ = ["InstanceConfigQuerySet", "InstanceQuerySet", "TombstoneQuerySet"]
