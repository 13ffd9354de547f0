"""The tiers' storage limits in the databases, brought to what the settings say of them.

SQL enforces the limits, and settings are Python's: where KITEHUB_PLANS changes a tier's storage, a
row of storage_tier_limits tells each database. It is written after every migration, for a new silo,
and by `manage.py sync_plans`.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction

from kitehub.enums import Tier
from kitehub.plans import DEFAULTS, PLANS
from storage.models import TierLimit


@dataclass(frozen=True, slots=True)
class Difference:
    """A tier whose limit in a database isn't that of the settings. Bytes; None is no limit."""

    tier: Tier
    there: int | None
    due: int | None

    def __str__(self) -> str:
        return f"{self.tier.value}: {_said(self.there)}, and the settings say {_said(self.due)}"


def differences(*, using: str) -> list[Difference]:
    """The tiers whose limits in a database aren't those of the settings, the lowest first."""
    rows = _rows(using)
    return [
        Difference(tier, there, due)
        for tier in Tier
        if (there := rows.get(tier, DEFAULTS[tier].storage_bytes))
        != (due := PLANS[tier].storage_bytes)
    ]


def sync(*, using: str) -> list[Difference]:
    """Brings a database's limits to those of the settings; returns what differed.

    All instances of a tier that changes get their new limit in the same transaction, but for those
    with an exception. Configs can't be written meanwhile, and their uploads wait.
    """
    found = differences(using=using)
    if not found:
        return []
    rows = TierLimit.objects.using(using)
    with transaction.atomic(using=using):
        for each in found:
            if each.due == DEFAULTS[each.tier].storage_bytes:
                rows.filter(tier=each.tier).delete()
            else:
                # Two at once write the same.
                rows.bulk_create(
                    [TierLimit(tier=each.tier, limit_bytes=each.due)],
                    update_conflicts=True,
                    unique_fields=["tier"],
                    update_fields=["limit_bytes"],
                )
    return found


def sync_after_migrate(*, using: str, **kwargs: Any) -> None:
    """For post_migrate: a database that has the table is in step with the settings."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass('storage_tier_limits') IS NOT NULL")
        (there,) = cursor.fetchone()
    if there:
        sync(using=using)


def _rows(using: str) -> dict[Tier, int | None]:
    return {
        Tier(tier): limit
        for tier, limit in TierLimit.objects.using(using).values_list("tier", "limit_bytes")
    }


def _said(limit: int | None) -> str:
    return "no limit" if limit is None else f"{limit} bytes"
