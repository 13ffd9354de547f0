"""Filters on API keys."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db.models import Q, QuerySet

from kitehub.enums import ApiKeyState

if TYPE_CHECKING:
    from kitehub.models import ApiKey


class ApiKeyQuerySet(QuerySet["ApiKey", "ApiKey"]):
    """API keys."""

    def of_instance(self, instance_id: UUID) -> Self:
        """One instance's keys (idx_api_keys_instance)."""
        return self.filter(instance_id=instance_id)

    def in_state(self, state: ApiKeyState, *, at: datetime) -> Self:
        """Keys that are live, expired or revoked at a moment; a revoked one is that alone."""
        if state == ApiKeyState.REVOKED:
            return self.filter(revoked_at__isnull=False)
        over = Q(expires_at__lte=at)
        # Not exclude(), which Django writes with a second look at NULL.
        lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=at)
        return self.filter(lasting if state == ApiKeyState.LIVE else over, revoked_at__isnull=True)

    def live(self, *, at: datetime) -> Self:
        """Keys that open something, as far as it is up to them."""
        return self.in_state(ApiKeyState.LIVE, at=at)
