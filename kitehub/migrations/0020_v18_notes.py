"""V18: notes of staff about rows."""

import uuid

import django.contrib.postgres.functions
from django.db import migrations, models

import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0019_v18_lists"),
        # All of V17, so that a step back from V18 takes nothing of it along.
        ("billing", "0022_v17_closed_schools"),
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="Note",
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
                ("table_name", models.CharField(max_length=63, verbose_name="table")),
                ("row_id", models.UUIDField(verbose_name="row")),
                ("text", models.TextField(verbose_name="note")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="written at"
                    ),
                ),
                ("created_by", models.CharField(max_length=100, verbose_name="written by")),
                (
                    "withdrawn_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="withdrawn at"),
                ),
                (
                    "withdrawn_by",
                    models.CharField(
                        blank=True, max_length=100, null=True, verbose_name="withdrawn by"
                    ),
                ),
                (
                    "withdrawn_reason",
                    models.CharField(
                        blank=True, max_length=500, null=True, verbose_name="why withdrawn"
                    ),
                ),
            ],
            options={
                "verbose_name": "note",
                "verbose_name_plural": "notes",
                "db_table": "notes",
                "db_table_comment": "Notes of staff about rows of platform tables; append-only",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["row_id", "table_name", "-created_at"], name="idx_notes_row"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["-created_at", "-id"], name="idx_notes_created"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="notes_text_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("withdrawn_at__isnull", True),
                                ("withdrawn_by__isnull", True),
                                ("withdrawn_reason__isnull", True),
                            ),
                            models.Q(
                                ("withdrawn_at__isnull", False),
                                ("withdrawn_by__isnull", False),
                                ("withdrawn_reason__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="notes_withdrawn_check",
                    ),
                ],
            },
        ),
        RunSQLFile(__file__, models=["kitehub.Note"]),
    ]
