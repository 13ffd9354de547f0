"""The plan, V3: instances and their bank accounts."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0001_v2_payment_orders"),
        ("kitehub", "0002_v1_instance_configs"),
    ]

    operations = [
        migrations.CreateModel(
            name="Instance",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("subdomain", models.CharField(max_length=50, verbose_name="subdomain")),
                (
                    "custom_domain",
                    models.CharField(
                        blank=True, max_length=255, null=True, verbose_name="own domain"
                    ),
                ),
                (
                    "organization_name",
                    models.CharField(max_length=200, verbose_name="organization"),
                ),
                (
                    "owner",
                    kitehub.db.fields.LooseForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="instances",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("BASIC", "Basic"),
                            ("STANDARD", "Standard"),
                            ("PREMIUM", "Premium"),
                        ],
                        db_default="BASIC",
                        max_length=20,
                        verbose_name="tier",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("TRIAL", "Trial"),
                            ("ACTIVE", "Active"),
                            ("SUSPENDED", "Suspended"),
                            ("CLOSED", "Closed"),
                        ],
                        db_default="TRIAL",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                ("database_url", models.CharField(max_length=500, verbose_name="database URL")),
                (
                    "database_username",
                    models.CharField(max_length=100, verbose_name="database user"),
                ),
                (
                    "database_password",
                    models.CharField(max_length=255, verbose_name="database password"),
                ),
                (
                    "trial_started_at",
                    kitehub.db.fields.PlainTimestampField(
                        blank=True, null=True, verbose_name="trial started"
                    ),
                ),
                (
                    "trial_expires_at",
                    kitehub.db.fields.PlainTimestampField(
                        blank=True, null=True, verbose_name="trial ends"
                    ),
                ),
                (
                    "subscription_id",
                    models.UUIDField(blank=True, null=True, verbose_name="subscription"),
                ),
                (
                    "subscription_expires_at",
                    kitehub.db.fields.PlainTimestampField(
                        blank=True, null=True, verbose_name="paid until"
                    ),
                ),
                (
                    "created_at",
                    kitehub.db.fields.PlainTimestampField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                (
                    "updated_at",
                    kitehub.db.fields.PlainTimestampField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="updated at",
                    ),
                ),
                (
                    "created_by",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=100,
                        null=True,
                        verbose_name="created by",
                    ),
                ),
                (
                    "updated_by",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=100,
                        null=True,
                        verbose_name="updated by",
                    ),
                ),
                (
                    "version",
                    models.BigIntegerField(db_default=0, editable=False, verbose_name="version"),
                ),
                (
                    "deleted",
                    models.BooleanField(db_default=False, editable=False, verbose_name="deleted"),
                ),
                (
                    "deleted_at",
                    kitehub.db.fields.PlainTimestampField(
                        blank=True, editable=False, null=True, verbose_name="deleted at"
                    ),
                ),
                (
                    "bank_code",
                    models.CharField(
                        blank=True,
                        db_comment="Vietnamese bank BIN code (e.g., 970415 for Vietcombank)",
                        max_length=10,
                        null=True,
                        verbose_name="bank (BIN)",
                    ),
                ),
                (
                    "bank_name",
                    models.CharField(
                        blank=True, max_length=100, null=True, verbose_name="bank name"
                    ),
                ),
                (
                    "account_number",
                    models.CharField(
                        blank=True,
                        db_comment="Bank account number for receiving course enrollment payments",
                        max_length=50,
                        null=True,
                        verbose_name="account number",
                    ),
                ),
                (
                    "account_name",
                    models.CharField(
                        blank=True, max_length=200, null=True, verbose_name="account holder"
                    ),
                ),
                (
                    "qr_template",
                    models.CharField(
                        blank=True,
                        db_comment="VietQR content template with variables: {courseId}, {studentName}, {timestamp}",
                        db_default="HOCPHI {courseId} {studentName}",
                        max_length=500,
                        null=True,
                        verbose_name="transfer memo template",
                    ),
                ),
            ],
            options={
                "verbose_name": "instance",
                "verbose_name_plural": "instances",
                "db_table": "instances",
                "indexes": [
                    kitehub.db.indexes.Index(fields=["subdomain"], name="idx_instances_subdomain"),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("custom_domain__isnull", False)),
                        fields=["custom_domain"],
                        name="idx_instances_custom_domain",
                    ),
                    kitehub.db.indexes.Index(fields=["owner"], name="idx_instances_owner"),
                    kitehub.db.indexes.Index(fields=["status"], name="idx_instances_status"),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("status", "TRIAL")),
                        fields=["trial_expires_at"],
                        name="idx_instances_trial_expires",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("subdomain",), name="instances_subdomain_key")
                ],
            },
        ),
        RunSQLFile(
            __file__,
            models=["kitehub.Instance"],
        ),
    ]
