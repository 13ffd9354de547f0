"""Roles of staff in the admin: what each may do, in sentences. Groups are where people get them."""

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kitehub.backoffice import AuditAdmin
from kitehub.models import StaffRole
from kitehub.roles import Role, powers_of
from kitehub.services.roles import differences


@admin.register(StaffRole)
class StaffRoleAdmin(AuditAdmin):
    """The roles, the groups that have them, and what that means."""

    small = "A row a role."
    search_uuids: ClassVar[Any] = ()

    nothing_yet = _("“manage.py migrate” makes the roles.")
    list_display = ("role_text", "group")
    list_select_related = ("group",)
    ordering = ("role",)
    search_fields = ()
    fields = ("role_text", "group", "differs_text", "powers_text")
    readonly_fields = fields

    @display(description=_("role"), ordering="role")
    def role_text(self, row: StaffRole) -> str:
        """The role's name."""
        return str(row)

    @display(description=_("differs from the table"))
    def differs_text(self, row: StaffRole) -> str:
        """What staff gave the group beside the role, or took from it."""
        if row.group is None:
            return gettext("No group has this role any more.")
        lacks, beside = differences().get(Role(row.role), ([], []))
        parts = [*(f"+ {name}" for name in beside), *(f"− {name}" for name in lacks)]
        return ", ".join(parts) or "–"

    @display(description=_("what it may do"))
    def powers_text(self, row: StaffRole) -> Any:
        """What the role may do, line by line."""
        lines = [(power.text,) for power in powers_of(Role(row.role))]
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", lines))
