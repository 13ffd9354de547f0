"""Write gates, and what was written while an instance's rows are being copied.

Both are read and written by triggers, and by kitehub/tenancy/gates.py.
"""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from kitehub.db.base import Identified
from kitehub.db.functions import Now
from kitehub.db.gates import GateReason
from kitehub.db.indexes import Index
from kitehub.querysets import InstanceGateQuerySet
from kitehub.tenancy.base import PerDatabase


class InstanceGate(PerDatabase, Identified):
    """Why an instance's rows in this database may not be written, or are watched (V14)."""

    instance_id = models.UUIDField(_("instance"))
    reason = models.CharField(_("reason"), max_length=10, choices=GateReason.choices)
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    expires_at = models.DateTimeField(
        _("expires at"),
        null=True,
        blank=True,
        db_comment="From then on the row refuses nothing; NULL is never",
    )

    objects = InstanceGateQuerySet.as_manager()

    class Meta:
        db_table = "instance_gates"
        db_table_comment = "Instances whose rows in this database may not be written"
        verbose_name = _("write gate")
        verbose_name_plural = _("write gates")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["instance_id", "reason"], name="instance_gates_instance_id_reason_key"
            ),
            models.CheckConstraint(
                condition=models.Q(reason__in=GateReason.values),
                name="instance_gates_reason_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} · {self.instance_id}"


class InstanceChange(PerDatabase):
    """A row that was written while its instance is watched: a move copies it again (V14)."""

    id = models.BigAutoField(_("ID"), primary_key=True)
    instance_id = models.UUIDField(_("instance"))
    table_name = models.CharField(_("table"), max_length=63)
    row_id = models.UUIDField(_("row"))

    class Meta:
        db_table = "instance_changes"
        db_table_comment = "Rows written while their instance is being copied elsewhere"
        verbose_name = _("watched change")
        verbose_name_plural = _("watched changes")
        indexes: ClassVar = [
            Index(fields=["instance_id", "id"], name="idx_instance_changes_instance")
        ]

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_id}"
