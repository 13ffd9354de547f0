"""V18: what was last seen of each instance's database."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0022_v18_roles"),
        # All of V17, so that a step back from V18 takes nothing of it along.
        ("billing", "0022_v17_closed_schools"),
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="InstanceWatch",
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
                ("used_bytes", models.BigIntegerField(null=True, verbose_name="used")),
                ("limit_bytes", models.BigIntegerField(null=True, verbose_name="limit")),
                (
                    "nearly_full",
                    models.BooleanField(
                        db_comment="More than nine tenths of the limit are used",
                        db_default=False,
                        verbose_name="over 90%",
                    ),
                ),
                (
                    "schema_version",
                    models.CharField(
                        blank=True, db_default="", max_length=10, verbose_name="schema version"
                    ),
                ),
                (
                    "missing_migrations",
                    models.IntegerField(
                        db_comment="How many the code has and it has not",
                        db_default=0,
                        verbose_name="missing migrations",
                    ),
                ),
                (
                    "whole",
                    models.BooleanField(
                        db_comment="Its first rows are there",
                        db_default=False,
                        verbose_name="opened",
                    ),
                ),
                ("reachable", models.BooleanField(db_default=True, verbose_name="reachable")),
                (
                    "error",
                    models.CharField(
                        blank=True, db_default="", max_length=500, verbose_name="why not reachable"
                    ),
                ),
                (
                    "looked_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="looked at"
                    ),
                ),
                ("reached_at", models.DateTimeField(null=True, verbose_name="last reached at")),
                (
                    "instance",
                    kitehub.db.fields.LooseOneToOneField(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="watch",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
            ],
            options={
                "verbose_name": "state of a database",
                "verbose_name_plural": "states of databases",
                "db_table": "instance_watch",
                "db_table_comment": "What was last seen of each instance's database",
                "indexes": [
                    kitehub.db.indexes.Index(
                        condition=models.Q(("nearly_full", True)),
                        fields=["instance"],
                        name="idx_instance_watch_nearly_full",
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("missing_migrations__gt", 0)),
                        fields=["instance"],
                        name="idx_instance_watch_behind",
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("reachable", False)),
                        fields=["instance"],
                        name="idx_instance_watch_unreachable",
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("whole", False)),
                        fields=["instance"],
                        name="idx_instance_watch_unfinished",
                    ),
                ],
            },
        ),
    ]
