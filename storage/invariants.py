"""What must be true of storage's rows; `manage.py check_invariants` runs it."""

from collections.abc import Iterator

from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db.invariants import SHOWN, Finding, invariant, rows
from storage import tiers
from storage.models import StorageUsage
from storage.services import drifts


@invariant("storage.StorageUsage", "storage.StorageEvent", "storage.Reservation")
def usage(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """An instance's sums are those of its events and reservations."""
    if router.db_for_read(StorageUsage) != connection.alias:
        return
    found = drifts()
    if found:
        lines = tuple(f"{drift.instance_id}: {drift}" for drift in found[:SHOWN])
        what = "sums differ from the events and reservations: manage.py reconcile_storage"
        yield Finding("storage_usage", what, len(found), lines)


@invariant("storage.StorageUsage", "kitehub.InstanceConfig")
def overrides(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """An override of the storage limit is null or a whole number of bytes."""
    count, found = rows(
        connection,
        "SELECT instance_id, limitations ->> 'maxStorageBytes' FROM instance_configs"
        " WHERE NOT deleted AND storage_limit(tier, limitations) IS NULL",
    )
    if count:
        what = "maxStorageBytes is neither null nor whole bytes, so the limit is 0"
        lines = tuple(f"{instance}: {value}" for instance, value in found)
        yield Finding("instance_configs", what, count, lines)


@invariant("storage.TierLimit")
def tier_limits(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """The tiers' limits are those of the settings."""
    found = tiers.differences(using=connection.alias)
    if found:
        what = "limits differ from KITEHUB_PLANS: manage.py sync_plans"
        yield Finding("storage_tier_limits", what, len(found), tuple(map(str, found)))


@invariant("storage.StorageUsage", "kitehub.InstanceConfig")
def limits(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """An instance's limit is that of its config; the plan's rows may have one of their own."""
    count, found = rows(
        connection,
        "SELECT instance_id, limit_bytes, COALESCE(storage_limit_of(instance_id), 0)"
        " FROM storage_usage JOIN instance_configs USING (instance_id)"
        " WHERE limit_bytes <> COALESCE(storage_limit_of(instance_id), 0)",
    )
    if count:
        what = "limit_bytes is not what the config's tier and override say"
        lines = tuple(f"{instance}: {limit}, not {due}" for instance, limit, due in found)
        yield Finding("storage_usage", what, count, lines, broken=False)
