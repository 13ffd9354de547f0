"""Every reusable filter on users, instances, their configs and gates."""

from kitehub.querysets.configs import InstanceConfigQuerySet
from kitehub.querysets.gates import InstanceGateQuerySet
from kitehub.querysets.instances import InstanceQuerySet

__all__ = ["InstanceConfigQuerySet", "InstanceGateQuerySet", "InstanceQuerySet"]
