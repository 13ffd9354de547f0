"""Users, instances, instance configs, API keys and notes in the admin."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from kitehub.admin import (
    api_keys,
    configs,
    emails,
    instances,
    moves,
    notes,
    tombstones,
    users,
    watches,
)

admin.site.index_title = _("Overview")

__all__ = [
    "api_keys",
    "configs",
    "emails",
    "instances",
    "moves",
    "notes",
    "tombstones",
    "users",
    "watches",
]
