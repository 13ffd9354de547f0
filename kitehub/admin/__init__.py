"""Users, instances, instance configs and API keys in the admin."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from kitehub.admin import (
    api_keys,
    configs,
    emails,
    instances,
    moves,
    roles,
    security,
    tombstones,
    users,
)

admin.site.index_title = _("Overview")

__all__ = [
    "api_keys",
    "configs",
    "emails",
    "instances",
    "moves",
    "roles",
    "security",
    "tombstones",
    "users",
]
