"""How much an instance stores, for pages that say what a tier would mean."""

from uuid import UUID

from storage.models import StorageUsage


def used_bytes(instance_id: UUID) -> int | None:
    """What an instance stores, in bytes; None where nothing was ever counted."""
    rows = StorageUsage.objects.filter(instance_id=instance_id)
    return rows.values_list("used_bytes", flat=True).first()
