"""Which group of staff has which role, and what it got with it. A platform table."""

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from kitehub.roles import Role


class StaffRole(models.Model):
    """A role, and the group that has it (V18).

    The group may be called otherwise, or be deleted: then nobody has the role. `granted` is what
    the group got from here, so that what staff gave it or took from it is told apart.
    """

    role = models.CharField(_("role"), primary_key=True, max_length=20, choices=Role.choices)
    group = models.OneToOneField(
        Group, on_delete=models.SET_NULL, null=True, related_name="role", verbose_name=_("group")
    )
    granted = models.JSONField(
        _("granted"),
        default=list,
        db_default=[],
        db_comment="Permissions that the group got from the role: billing.view_paymentorder",
    )

    class Meta:
        db_table = "staff_roles"
        db_table_comment = "Roles of staff, and the groups that have them"
        verbose_name = _("role of staff")
        verbose_name_plural = _("roles of staff")

    def __str__(self) -> str:
        return str(Role(self.role).label) if self.role in Role.values else self.role
