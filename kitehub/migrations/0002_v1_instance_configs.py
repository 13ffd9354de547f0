"""The plan, V1: feature detection and tiers."""

import uuid

import django.contrib.postgres.functions
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0001_users"),
    ]

    operations = [
        migrations.CreateModel(
            name="InstanceConfig",
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
                ("instance_id", models.UUIDField(verbose_name="instance")),
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("BASIC", "Basic"),
                            ("STANDARD", "Standard"),
                            ("PREMIUM", "Premium"),
                        ],
                        db_comment="Pricing tier: BASIC, STANDARD, PREMIUM",
                        max_length=20,
                        verbose_name="tier",
                    ),
                ),
                (
                    "features",
                    models.JSONField(
                        blank=True,
                        db_comment="Feature flags: {engagement: true, media: false, premium: false}",
                        db_default={},
                        default=dict,
                        verbose_name="features",
                    ),
                ),
                (
                    "limitations",
                    models.JSONField(
                        blank=True,
                        db_comment="Limitations: {maxStudents: 50, maxCourses: 10}",
                        db_default={},
                        default=dict,
                        verbose_name="limitations",
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
            ],
            options={
                "verbose_name": "instance config",
                "verbose_name_plural": "instance configs",
                "db_table": "instance_configs",
                "db_table_comment": "Instance configuration for feature detection",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["instance_id"], name="idx_instance_configs_instance"
                    ),
                    kitehub.db.indexes.Index(fields=["tier"], name="idx_instance_configs_tier"),
                    kitehub.db.indexes.Index(
                        fields=["-created_at"], name="idx_instance_configs_created"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("instance_id",), name="instance_configs_instance_id_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tier__in", ["BASIC", "STANDARD", "PREMIUM"])),
                        name="instance_configs_tier_check",
                    ),
                ],
            },
        ),
        RunSQLFile(
            __file__,
            models=["kitehub.InstanceConfig"],
        ),
    ]
