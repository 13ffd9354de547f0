"""The plan, V5: AI branding jobs."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("analytics", "0001_v4_guest_analytics"),
        ("kitehub", "0003_v3_instance_bank_accounts"),
    ]

    operations = [
        RunSQLFile(
            __file__,
            part="types",
            models=["branding.BrandingJob"],
        ),
        migrations.CreateModel(
            name="BrandingJob",
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
                ("job_id", models.CharField(max_length=50, verbose_name="job code")),
                (
                    "instance",
                    kitehub.db.fields.LooseForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="branding_jobs",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
                (
                    "logo_url",
                    models.CharField(blank=True, max_length=500, null=True, verbose_name="logo"),
                ),
                (
                    "organization_name",
                    models.CharField(max_length=200, verbose_name="organization"),
                ),
                (
                    "language",
                    models.CharField(db_default="vi", max_length=10, verbose_name="language"),
                ),
                (
                    "status",
                    kitehub.db.fields.EnumField(
                        db_default="PENDING",
                        enum_type="branding_status",
                        verbose_name="status",
                    ),
                ),
                (
                    "generated_assets",
                    models.JSONField(
                        blank=True,
                        db_comment="Generated assets: profile images, hero images, logos, banners, marketing copy",
                        null=True,
                        verbose_name="generated assets",
                    ),
                ),
                (
                    "error_message",
                    models.CharField(blank=True, max_length=1000, null=True, verbose_name="error"),
                ),
                (
                    "progress_percentage",
                    models.IntegerField(db_default=0, verbose_name="progress (%)"),
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
                "verbose_name": "branding job",
                "verbose_name_plural": "branding jobs",
                "db_table": "branding_jobs",
                "db_table_comment": "AI branding generation jobs (GPT-4 Vision + DALL-E 3)",
                "indexes": [
                    kitehub.db.indexes.Index(fields=["job_id"], name="idx_branding_jobs_job_id"),
                    kitehub.db.indexes.Index(
                        fields=["instance"], name="idx_branding_jobs_instance"
                    ),
                    kitehub.db.indexes.Index(fields=["status"], name="idx_branding_jobs_status"),
                    kitehub.db.indexes.Index(
                        fields=["-created_at"], name="idx_branding_jobs_created"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("job_id",), name="branding_jobs_job_id_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("progress_percentage__gte", 0),
                            ("progress_percentage__lte", 100),
                        ),
                        name="branding_jobs_progress_percentage_check",
                    ),
                ],
            },
        ),
        RunSQLFile(
            __file__,
            part="triggers",
            models=["branding.BrandingJob"],
        ),
        # Django cannot send a comment that holds a percent sign, so this one is SQL.
        RunSQLFile(
            __file__,
            part="comments",
            models=["branding.BrandingJob"],
            state_operations=[
                migrations.AlterField(
                    model_name="brandingjob",
                    name="progress_percentage",
                    field=models.IntegerField(
                        db_comment="0-100%: Logo analysis (20%), Hero generation (60%), Marketing copy (100%)",
                        db_default=0,
                        verbose_name="progress (%)",
                    ),
                ),
            ],
        ),
    ]
