"""The app for users, instances and instance configs."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class KitehubConfig(AppConfig):
    """Users, instances and instance configs."""

    name = "kitehub"
    verbose_name = _("Instances")

    def ready(self) -> None:
        """Registers checks, bounds connections to silos, shows JSON our way, keeps up roles."""
        from unfold import fields

        from kitehub import checks, sign_in  # noqa: F401
        from kitehub.backoffice.json_fields import shown_json
        from kitehub.services.roles import sync_after_migrate
        from kitehub.tenancy.context import admit

        fields.prettify_json = shown_json
        post_migrate.connect(sync_after_migrate, sender=self)
        connection_created.connect(admit, dispatch_uid="kitehub.tenancy")
