"""V15: schools that leave: when their data goes, and which rows came or went by archive."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0014_v14_moves"),
        # All of V14, so that a step back from V15 takes nothing of it along.
        ("analytics", "0004_v14_gates"),
        ("storage", "0008_v14_gates"),
    ]

    operations = [
        migrations.CreateModel(
            name="ArchiveRun",
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
                    "kind",
                    models.CharField(
                        choices=[("IMPORT", "Import"), ("ERASURE", "Erasure")],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("actor", models.CharField(max_length=100, verbose_name="by")),
                (
                    "archive_sha256",
                    models.CharField(max_length=64, verbose_name="SHA-256 of the archive"),
                ),
                (
                    "started_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="started at"
                    ),
                ),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished at")),
            ],
            options={
                "verbose_name": "archive run",
                "verbose_name_plural": "archive runs",
                "db_table": "archive_runs",
                "db_table_comment": "Imports and erasures of instances' rows, by archive",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["instance_id"], name="idx_archive_runs_instance"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["IMPORT", "ERASURE"])),
                        name="archive_runs_kind_check",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tombstone",
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
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("requested_by", models.CharField(max_length=100, verbose_name="closed by")),
                (
                    "requested_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="closed at"
                    ),
                ),
                ("deprovision_at", models.DateTimeField(verbose_name="data goes at")),
                ("archive_path", models.CharField(max_length=1000, verbose_name="archive")),
                (
                    "archive_sha256",
                    models.CharField(max_length=64, verbose_name="SHA-256 of the archive"),
                ),
                (
                    "earlier_archives",
                    models.JSONField(db_default=[], default=list, verbose_name="earlier archives"),
                ),
                ("canceled_at", models.DateTimeField(null=True, verbose_name="cancelled at")),
                (
                    "canceled_by",
                    models.CharField(max_length=100, null=True, verbose_name="cancelled by"),
                ),
                ("erasing_at", models.DateTimeField(null=True, verbose_name="erasing since")),
                ("dropped_at", models.DateTimeField(null=True, verbose_name="data gone at")),
                (
                    "instance",
                    kitehub.db.fields.LooseForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="tombstones",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
            ],
            options={
                "verbose_name": "closed school",
                "verbose_name_plural": "closed schools",
                "db_table": "instance_tombstones",
                "db_table_comment": "Closed instances, and when their data goes",
                "indexes": [
                    kitehub.db.indexes.Index(
                        condition=models.Q(
                            ("canceled_at__isnull", True), ("dropped_at__isnull", True)
                        ),
                        fields=["deprovision_at"],
                        name="idx_instance_tombstones_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("canceled_at__isnull", True)),
                        fields=("instance",),
                        name="instance_tombstones_instance_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("canceled_at__isnull", True),
                            ("erasing_at__isnull", True),
                            _connector="OR",
                        ),
                        name="instance_tombstones_canceled_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("dropped_at__isnull", True),
                            ("erasing_at__isnull", False),
                            _connector="OR",
                        ),
                        name="instance_tombstones_dropped_check",
                    ),
                ],
            },
        ),
        RunSQLFile(__file__, models=["kitehub.ArchiveRun"]),
    ]
