"""The app for users, instances and instance configs."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KitehubConfig(AppConfig):
    """Users, instances and instance configs."""

    name = "kitehub"
    verbose_name = _("Instances")

    def ready(self) -> None:
        """Registers the system checks."""
        from kitehub import checks  # noqa: F401
