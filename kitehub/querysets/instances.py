"""Filters on instances."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models

from kitehub.db.querysets import RecordQuerySet
from kitehub.enums import InstanceStatus

if TYPE_CHECKING:
    from kitehub.models import Instance


class InstanceQuerySet(RecordQuerySet["Instance"]):
    """Instances."""

    def in_trial(self) -> Self:
        """Instances that have not bought anything yet."""
        return self.filter(status=InstanceStatus.TRIAL)

    def trial_ending(self, *, before: datetime) -> Self:
        """Trials that end before a moment, the first to end first (idx_instances_trial_expires)."""
        return self.in_trial().filter(trial_expires_at__lt=before).order_by("trial_expires_at")

    def named(self, text: str) -> Self:
        """The instance of a subdomain or an id, as people write either."""
        matches = models.Q(subdomain=text.strip().lower())
        with suppress(ValueError):
            matches |= models.Q(pk=UUID(text.strip()))
        # PostgreSQL has no text with a NUL in it.
        return self.none() if "\x00" in text else self.filter(matches)

    def owned_by(self, owner_id: UUID) -> Self:
        """One person's instances (idx_instances_owner)."""
        return self.filter(owner_id=owner_id)

    def at_domain(self, domain: str) -> Self:
        """The instance that answers at a domain of its own (idx_instances_custom_domain)."""
        return self.filter(custom_domain=domain)
