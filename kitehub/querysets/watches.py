"""Filters on what was last seen of instances' databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from kitehub.models import InstanceWatch


class InstanceWatchQuerySet(models.QuerySet["InstanceWatch", "InstanceWatch"]):
    """What was last seen. Each filter has a partial index of its own."""

    def nearly_full(self) -> Self:
        """Instances that store more than nine tenths of what they may."""
        return self.filter(nearly_full=True)

    def behind(self) -> Self:
        """Instances whose database lacks migrations."""
        return self.filter(missing_migrations__gt=0)

    def unreachable(self) -> Self:
        """Instances whose database couldn't be read the last time."""
        return self.filter(reachable=False)

    def unfinished(self) -> Self:
        """Instances whose opening was cut short: the first rows are missing."""
        return self.filter(whole=False)
