"""Moves of instances between databases, and suspensions. Platform tables."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kitehub.db.base import Identified
from kitehub.db.fields import LooseForeignKey
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.db.secrets import EncryptedField
from kitehub.enums import InstanceStatus, MoveStep

# These moves are over.
ENDED = (MoveStep.DONE.value, MoveStep.PURGED.value, MoveStep.ABORTED.value)


class InstanceMove(Identified):
    """One move of an instance's rows from a database to another (V14).

    At most one of an instance is open. The step is kept once it is done, so a move that was killed
    goes on from there.
    """

    archived = False

    instance = LooseForeignKey("kitehub.Instance", related_name="moves", verbose_name=_("instance"))
    step = models.CharField(
        _("step"), max_length=10, choices=MoveStep.choices, db_default=MoveStep.PLANNED.value
    )
    source_url = models.CharField(_("from"), max_length=500)
    source_username = models.CharField(_("user there"), max_length=100, blank=True)
    source_password = EncryptedField(_("password there"), max_length=255, blank=True)
    target_url = models.CharField(_("to"), max_length=500)
    target_username = models.CharField(_("user at the target"), max_length=100, blank=True)
    target_password = EncryptedField(_("password at the target"), max_length=255, blank=True)
    makes_target = models.BooleanField(
        _("makes the target"),
        db_default=False,
        db_comment="The target database is made by the move, so aborting it drops it",
    )
    row_counts = models.JSONField(_("rows"), default=dict, db_default={}, blank=True)
    refused_ms = models.BigIntegerField(
        _("writes refused, ms"),
        null=True,
        blank=True,
        db_comment="For how long writes were refused",
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    created_by = models.CharField(_("by"), max_length=100)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        db_table = "instance_moves"
        db_table_comment = "Moves of instances between databases"
        verbose_name = _("move")
        verbose_name_plural = _("moves")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["instance"],
                condition=~Q(step__in=ENDED),
                name="instance_moves_one_open",
            ),
            models.CheckConstraint(
                condition=Q(step__in=MoveStep.values), name="instance_moves_step_check"
            ),
        ]
        indexes: ClassVar = [
            Index(fields=["instance", "-created_at"], name="idx_instance_moves_instance"),
            Index(fields=["-created_at", "-id"], name="idx_instance_moves_list"),
            Index(fields=["step", "-created_at", "-id"], name="idx_instance_moves_list_step"),
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()} · {self.instance_id}"


class InstanceSuspension(Identified):
    """One suspension of an instance, from beginning to end (V14); at most one is open."""

    archived = False

    instance = LooseForeignKey(
        "kitehub.Instance", related_name="suspensions", verbose_name=_("instance")
    )
    status_before = models.CharField(
        _("status before"), max_length=20, choices=InstanceStatus.choices
    )
    reason = models.CharField(_("reason"), max_length=500)
    created_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)
    created_by = models.CharField(_("by"), max_length=100)
    resumed_at = models.DateTimeField(_("until"), null=True, blank=True)
    resumed_by = models.CharField(_("resumed by"), max_length=100, null=True, blank=True)
    resume_reason = models.CharField(_("reason to resume"), max_length=500, null=True, blank=True)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        db_table = "instance_suspensions"
        db_table_comment = "When an instance was suspended, by whom and why"
        verbose_name = _("suspension")
        verbose_name_plural = _("suspensions")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["instance"],
                condition=Q(resumed_at__isnull=True),
                name="instance_suspensions_one_open",
            ),
            models.CheckConstraint(
                condition=Q(resumed_at__isnull=True) | Q(resumed_by__isnull=False),
                name="instance_suspensions_resumed_check",
            ),
        ]
        indexes: ClassVar = [
            Index(fields=["instance", "-created_at"], name="idx_instance_suspensions_instance"),
            Index(fields=["-created_at", "-id"], name="idx_instance_suspensions_list"),
        ]

    def __str__(self) -> str:
        return f"{self.instance_id} · {self.reason}"
