"""Filters on write gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from kitehub.db.functions import Now
from kitehub.db.gates import GateReason

if TYPE_CHECKING:
    from kitehub.models import InstanceGate


class InstanceGateQuerySet(models.QuerySet["InstanceGate"]):
    """Write gates of one database."""

    def refusing(self) -> Self:
        """Those that refuse writes now."""
        lasting = Q(expires_at=None) | Q(expires_at__gt=Now())
        return self.filter(lasting).exclude(reason=GateReason.WATCHED)
