"""Instances: the schools."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kitehub.db.base import Record
from kitehub.db.constraints import deletion_agrees
from kitehub.db.fields import LooseForeignKey
from kitehub.db.indexes import Index
from kitehub.db.querysets import AliveManager
from kitehub.db.secrets import EncryptedField
from kitehub.db.words import FoldedWords
from kitehub.enums import InstanceStatus, Tier
from kitehub.querysets import InstanceQuerySet


class Instance(Record):
    """A school with its own subdomain, tier and, if large enough, its own database (plan, V3)."""

    # Where the data lives is no part of it; the address may hold a password.
    archive_omits = ("database_url", "database_username", "database_password")

    subdomain = models.CharField(_("subdomain"), max_length=50)
    custom_domain = models.CharField(_("own domain"), max_length=255, null=True, blank=True)
    organization_name = models.CharField(_("organization"), max_length=200)
    owner = LooseForeignKey(
        settings.AUTH_USER_MODEL, related_name="instances", verbose_name=_("owner")
    )
    tier = models.CharField(
        _("tier"), max_length=20, choices=Tier.choices, db_default=Tier.BASIC.value
    )
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=InstanceStatus.choices,
        db_default=InstanceStatus.TRIAL.value,
    )
    database_url = models.CharField(_("database URL"), max_length=500)
    database_username = models.CharField(_("database user"), max_length=100)
    database_password = EncryptedField(_("database password"), max_length=255)
    trial_started_at = models.DateTimeField(_("trial started"), null=True, blank=True)
    trial_expires_at = models.DateTimeField(_("trial ends"), null=True, blank=True)
    subscription_id = models.UUIDField(_("subscription"), null=True, blank=True)
    subscription_expires_at = models.DateTimeField(_("paid until"), null=True, blank=True)
    bank_code = models.CharField(
        _("bank (BIN)"),
        max_length=10,
        null=True,
        blank=True,
        db_comment="Vietnamese bank BIN code (e.g., 970436 for Vietcombank)",
    )
    bank_name = models.CharField(_("bank name"), max_length=100, null=True, blank=True)
    account_number = models.CharField(
        _("account number"),
        max_length=50,
        null=True,
        blank=True,
        db_comment="Bank account number for receiving course enrollment payments",
    )
    account_name = models.CharField(_("account holder"), max_length=200, null=True, blank=True)
    qr_template = models.CharField(
        _("transfer memo template"),
        max_length=500,
        null=True,
        blank=True,
        db_default="HOCPHI {courseId} {studentName}",
        db_comment=(
            "VietQR content template with variables: {courseId}, {studentName}, {timestamp}"
        ),
    )

    objects = AliveManager.from_queryset(InstanceQuerySet)()
    all_objects = InstanceQuerySet.as_manager()

    class Meta:
        db_table = "instances"
        verbose_name = _("instance")
        verbose_name_plural = _("instances")
        # What its levers ask for; docs/operations.md says which is which.
        permissions: ClassVar = [
            ("provision_instance", "Can finish the opening of instances"),
            ("move_instance", "Can move instances to another database"),
            ("suspend_instance", "Can suspend and resume instances"),
            ("close_instance", "Can close instances and open them again"),
            ("change_bank_account", "Can change where the students of instances pay to"),
            ("change_owner", "Can give instances to another owner"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subdomain"], name="instances_subdomain_key"),
            deletion_agrees("instances"),
        ]
        indexes: ClassVar = [
            # Lists of the back office: the order of each, behind what it is narrowed by.
            Index(fields=["-created_at", "-id"], name="idx_instances_list"),
            Index(
                fields=["status", "-created_at", "-id"],
                name="idx_instances_list_status",
                condition=Q(deleted=False),
            ),
            Index(
                fields=["tier", "-created_at", "-id"],
                name="idx_instances_list_tier",
                condition=Q(deleted=False),
            ),
            Index(
                fields=["-created_at", "-id"],
                name="idx_instances_deleted",
                condition=Q(deleted=True),
            ),
            GinIndex(FoldedWords("organization_name"), name="idx_instances_words"),
            Index(fields=["subdomain"], name="idx_instances_subdomain"),
            Index(
                fields=["custom_domain"],
                name="idx_instances_custom_domain",
                condition=Q(custom_domain__isnull=False),
            ),
            Index(fields=["owner"], name="idx_instances_owner"),
            Index(fields=["status"], name="idx_instances_status"),
            Index(
                fields=["trial_expires_at"],
                name="idx_instances_trial_expires",
                condition=Q(status=InstanceStatus.TRIAL.value),
            ),
            Index(
                fields=["id"],
                name="idx_instances_active",
                condition=Q(deleted=models.Value(False)),
            ),
        ]

    def __str__(self) -> str:
        return self.organization_name

    @property
    def is_gone(self) -> bool:
        """Whether it is closed or deleted: nobody works with it, and nobody pays for it."""
        return self.deleted or self.status == InstanceStatus.CLOSED
