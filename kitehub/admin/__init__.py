"""Users, instances, instance configs and API keys in the admin."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from kitehub.admin import api_keys, configs, emails, instances, moves, tombstones, users

admin.site.index_title = _("Overview")
admin.site.index_template = "kitehub/backoffice/dashboard/page.html"

__all__ = ["api_keys", "configs", "emails", "instances", "moves", "tombstones", "users"]
