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
    roles,
    security,
    sign_in,
    tombstones,
    users,
    watches,
)

admin.site.login_form = sign_in.StaffSignInForm
admin.site.password_change = sign_in.change_own_password  # type: ignore[method-assign]
admin.site.index_title = _("Overview")
admin.site.index_template = "kitehub/backoffice/dashboard/page.html"

__all__ = [
    "api_keys",
    "configs",
    "emails",
    "instances",
    "moves",
    "notes",
    "roles",
    "security",
    "sign_in",
    "tombstones",
    "users",
    "watches",
]
