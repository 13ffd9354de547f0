"""The app for users, instances and instance configs."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _


class KitehubConfig(AppConfig):
    """Users, instances and instance configs."""

    name = "kitehub"
    verbose_name = _("Instances")

    def ready(self) -> None:
        """Registers the system checks, bounds the connections to silos, shows JSON our way."""
        from unfold import fields

        from kitehub import checks  # noqa: F401
        from kitehub.backoffice.json_fields import shown_json
        from kitehub.tenancy.context import admit

        fields.prettify_json = shown_json
        connection_created.connect(admit, dispatch_uid="kitehub.tenancy")
