"""The app for storage usage and events."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StorageConfig(AppConfig):
    """Storage usage and events."""

    name = "storage"
    verbose_name = _("Storage")
