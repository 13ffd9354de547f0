"""Filters on instance configs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from kitehub.db.querysets import RecordQuerySet
from kitehub.enums import Tier

if TYPE_CHECKING:
    from kitehub.models import InstanceConfig


class InstanceConfigQuerySet(RecordQuerySet["InstanceConfig"]):
    """Instance configs."""

    def of_tier(self, tier: Tier) -> Self:
        """Configs of one tier (idx_instance_configs_tier).

        With `alive()` idx_instance_configs_tier_deleted costs the same, and either may be used.
        """
        return self.filter(tier=tier)
