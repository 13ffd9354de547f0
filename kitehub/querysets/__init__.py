"""Every reusable filter on users, instances, their configs, keys, gates, mail and tombstones."""

from kitehub.querysets.api_keys import ApiKeyQuerySet
from kitehub.querysets.configs import InstanceConfigQuerySet
from kitehub.querysets.emails import EmailQuerySet
from kitehub.querysets.gates import InstanceGateQuerySet
from kitehub.querysets.instances import InstanceQuerySet
from kitehub.querysets.tombstones import TombstoneQuerySet
from kitehub.querysets.watches import InstanceWatchQuerySet

__all__ = [
    "ApiKeyQuerySet",
    "EmailQuerySet",
    "InstanceConfigQuerySet",
    "InstanceGateQuerySet",
    "InstanceQuerySet",
    "InstanceWatchQuerySet",
    "TombstoneQuerySet",
]
