"""Instance configs."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from kitehub.backoffice import InstanceNames, RecordAdmin
from kitehub.backoffice.base import RECORD_FIELDSET
from kitehub.models import InstanceConfig


@admin.register(InstanceConfig)
class InstanceConfigAdmin(InstanceNames, RecordAdmin):
    """What instances may do."""

    list_display = ("instance_name", "tier", "features", "limitations", "updated_at")
    list_filter = ("tier",)
    ordering = ("-created_at",)
    search_uuids: ClassVar = ("id", "instance_id")
    search_help_text = _("Subdomain or ID")
    fieldsets = (
        (None, {"fields": ("instance_id", "tier", "features", "limitations")}),
        RECORD_FIELDSET,
    )
