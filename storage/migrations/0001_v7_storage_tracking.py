"""The plan, V7: stored bytes."""

import uuid

import django.contrib.postgres.functions
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("billing", "0002_v6_subscriptions"),
        ("kitehub", "0003_v3_instance_bank_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="StorageUsage",
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
                ("used_bytes", models.BigIntegerField(db_default=0, verbose_name="used")),
                (
                    "limit_bytes",
                    models.BigIntegerField(
                        db_comment="Storage limit based on tier: BASIC=0, STANDARD=5GB, PREMIUM=20GB",
                        verbose_name="limit",
                    ),
                ),
                (
                    "last_updated",
                    kitehub.db.fields.PlainTimestampField(
                        db_default=kitehub.db.functions.Now(), verbose_name="last change"
                    ),
                ),
            ],
            options={
                "verbose_name": "storage usage",
                "verbose_name_plural": "storage usage",
                "db_table": "storage_usage",
                "db_table_comment": "Current storage usage per instance",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["instance_id"], name="idx_storage_usage_instance"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("instance_id",), name="storage_usage_instance_id_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("used_bytes__gte", 0)),
                        name="storage_usage_used_bytes_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StorageEvent",
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
                    "file_type",
                    models.CharField(
                        choices=[
                            ("IMAGE", "Image"),
                            ("VIDEO", "Video"),
                            ("ATTACHMENT", "Attachment"),
                        ],
                        max_length=20,
                        verbose_name="file type",
                    ),
                ),
                ("file_name", models.CharField(max_length=255, verbose_name="file")),
                ("file_url", models.CharField(max_length=500, verbose_name="address")),
                ("file_size_bytes", models.BigIntegerField(verbose_name="size")),
                (
                    "operation",
                    models.CharField(
                        choices=[("UPLOAD", "Upload"), ("DELETE", "Deletion")],
                        max_length=10,
                        verbose_name="operation",
                    ),
                ),
                (
                    "created_at",
                    kitehub.db.fields.PlainTimestampField(
                        db_default=kitehub.db.functions.Now(), verbose_name="time"
                    ),
                ),
                (
                    "created_by",
                    models.CharField(blank=True, max_length=100, null=True, verbose_name="by"),
                ),
            ],
            options={
                "verbose_name": "storage event",
                "verbose_name_plural": "storage events",
                "db_table": "storage_events",
                "db_table_comment": "Audit trail for all file uploads/deletes",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["instance_id"], name="idx_storage_events_instance"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["-created_at"], name="idx_storage_events_created"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["operation"], name="idx_storage_events_operation"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("operation__in", ["UPLOAD", "DELETE"])),
                        name="storage_events_operation_check",
                    )
                ],
            },
        ),
        RunSQLFile(
            __file__,
            models=["storage.StorageUsage", "storage.StorageEvent"],
        ),
    ]
