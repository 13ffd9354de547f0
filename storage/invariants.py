"""What must be true of storage's rows; `manage.py check_invariants` runs it."""

from collections.abc import Iterator

from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db.invariants import SHOWN, Finding, invariant
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
