"""The app for storage usage and events."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class StorageConfig(AppConfig):
    """Storage usage and events."""

    name = "storage"
    verbose_name = _("Storage")

    def ready(self) -> None:
        """Has every migration end with the limits that the settings say, and tells what is used."""
        from kitehub.plans import STORAGE
        from kitehub.portal import usage
        from storage.tiers import sync_after_migrate
        from storage.usage import used_bytes

        post_migrate.connect(sync_after_migrate, sender=self)
        usage.counts(STORAGE, used_bytes)
