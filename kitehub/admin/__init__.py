"""Users, instances and instance configs in the admin."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from kitehub.admin import configs, instances, moves, users

admin.site.index_title = _("Overview")

__all__ = ["configs", "instances", "moves", "users"]
