"""Instance configs: what an instance may do. A tenant table."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kitehub.db.constraints import deletion_agrees
from kitehub.db.indexes import Index
from kitehub.enums import Tier
from kitehub.plans import FEATURES, MOST, PLANS
from kitehub.querysets import InstanceConfigQuerySet
from kitehub.tenancy.base import AliveTenantManager, TenantManager, TenantRecord


class InstanceConfig(TenantRecord):
    """The tier of an instance with its exceptions to the tier's features and limits (plan, V1).

    `features` and `limitations` hold the exceptions only, so that all else follows the tier. What
    an instance may do right now, with its subscription's state, kitehub/entitlements.py tells.
    """

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
                fields=["-created_at", "-id"],
                name="idx_instance_configs_deleted",
                condition=Q(deleted=True),
            ),
            Index(
                fields=["tier", "deleted"],
                name="idx_instance_configs_tier_deleted",
                condition=Q(deleted=models.Value(False)),
            ),
        ]

    def allows(self, feature: str) -> bool:
        """Whether the tier has a feature, or the exception to it; raises UnknownFeature."""
        allowed = PLANS[Tier(self.tier)].allows(feature)
        return bool(self.features[feature]) if self.overrides(feature) else allowed

    def limit(self, name: str) -> int | None:
        """The tier's limit, or the exception to it; None is unlimited, 0 none.

        Bytes for maxStorageBytes, else a count. Raises UnknownFeature.
        """
        limit = PLANS[Tier(self.tier)].limit(name)
        if not self.overrides(name):
            return limit
        value = self.limitations[name]
        return None if value is None else int(value)

    def overrides(self, name: str) -> bool:
        """Whether there is an exception by this name that means something.

        What is neither true nor false, or no whole number from 0 on, leaves the tier's word.
        """
        said, means = (
            (self.features, _is_flag) if name in FEATURES else (self.limitations, _is_limit)
        )
        return isinstance(said, dict) and name in said and means(said[name])

    def __str__(self) -> str:
        return f"{self.get_tier_display()} · {self.instance_id}"


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_limit(value: object) -> bool:
    """As storage_limit() in the database has it: null, or a number without a fraction."""
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= MOST and value == int(value)
