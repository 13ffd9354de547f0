"""Instance configs: what an instance may do. A tenant table."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kitehub.db.constraints import deletion_agrees
from kitehub.db.indexes import Index
from kitehub.enums import Tier
from kitehub.querysets import InstanceConfigQuerySet
from kitehub.tenancy.base import AliveTenantManager, TenantManager, TenantRecord


class InstanceConfig(TenantRecord):
    """The tier of an instance with its exceptions to the tier's features and limits (plan, V1)."""

    instance_id = models.UUIDField(_("instance"))
    tier = models.CharField(
        _("tier"),
        max_length=20,
        choices=Tier.choices,
        db_comment="Pricing tier: BASIC, STANDARD, PREMIUM",
    )
    features = models.JSONField(
        _("features"),
        blank=True,
        default=dict,
        db_default={},
        db_comment="Feature flags: {engagement: true, media: false, premium: false}",
    )
    limitations = models.JSONField(
        _("limitations"),
        blank=True,
        default=dict,
        db_default={},
        db_comment="Limitations: {maxStudents: 50, maxCourses: 10}",
    )

    objects = AliveTenantManager.from_queryset(InstanceConfigQuerySet)()
    all_objects = TenantManager.from_queryset(InstanceConfigQuerySet)()

    class Meta:
        db_table = "instance_configs"
        db_table_comment = "Instance configuration for feature detection"
        verbose_name = _("instance config")
        verbose_name_plural = _("instance configs")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["instance_id"], name="instance_configs_instance_id_key"
            ),
            models.CheckConstraint(
                condition=Q(tier__in=Tier.values), name="instance_configs_tier_check"
            ),
            deletion_agrees("instance_configs"),
        ]
        indexes: ClassVar = [
            Index(fields=["instance_id"], name="idx_instance_configs_instance"),
            Index(fields=["tier"], name="idx_instance_configs_tier"),
            Index(fields=["-created_at"], name="idx_instance_configs_created"),
            Index(
                fields=["tier", "deleted"],
                name="idx_instance_configs_tier_deleted",
                condition=Q(deleted=models.Value(False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_tier_display()} · {self.instance_id}"
