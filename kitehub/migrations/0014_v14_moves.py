"""V14: gates that refuse the writes of an instance, its moves and suspensions."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes
import kitehub.db.secrets
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0013_v13_api_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="InstanceChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False, verbose_name="ID")),
                ("instance_id", models.UUIDField(verbose_name="instance")),
                ("table_name", models.CharField(max_length=63, verbose_name="table")),
                ("row_id", models.UUIDField(verbose_name="row")),
            ],
            options={
                "verbose_name": "watched change",
                "verbose_name_plural": "watched changes",
                "db_table": "instance_changes",
                "db_table_comment": "Rows written while their instance is being copied elsewhere",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["instance_id", "id"], name="idx_instance_changes_instance"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InstanceGate",
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
                    "reason",
                    models.CharField(
                        choices=[
                            ("SUSPENDED", "Suspended"),
                            ("MOVING", "Being moved"),
                            ("MOVED", "Moved"),
                            ("WATCHED", "Being copied"),
                        ],
                        max_length=10,
                        verbose_name="reason",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="created at"
                    ),
                ),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="From then on the row refuses nothing; NULL is never",
                        null=True,
                        verbose_name="expires at",
                    ),
                ),
            ],
            options={
                "verbose_name": "write gate",
                "verbose_name_plural": "write gates",
                "db_table": "instance_gates",
                "db_table_comment": "Instances whose rows in this database may not be written",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("instance_id", "reason"),
                        name="instance_gates_instance_id_reason_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reason__in", ["SUSPENDED", "MOVING", "MOVED", "WATCHED"])
                        ),
                        name="instance_gates_reason_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InstanceMove",
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
                (
                    "step",
                    models.CharField(
                        choices=[
                            ("PLANNED", "Planned"),
                            ("PREPARED", "Target prepared"),
                            ("COPIED", "Rows copied"),
                            ("SWITCHED", "Placement switched"),
                            ("DONE", "Done, source kept"),
                            ("PURGED", "Done, source removed"),
                            ("ABORTED", "Aborted"),
                        ],
                        db_default="PLANNED",
                        max_length=10,
                        verbose_name="step",
                    ),
                ),
                ("source_url", models.CharField(max_length=500, verbose_name="from")),
                (
                    "source_username",
                    models.CharField(blank=True, max_length=100, verbose_name="user there"),
                ),
                (
                    "source_password",
                    kitehub.db.secrets.EncryptedField(
                        blank=True, max_length=255, verbose_name="password there"
                    ),
                ),
                ("target_url", models.CharField(max_length=500, verbose_name="to")),
                (
                    "target_username",
                    models.CharField(blank=True, max_length=100, verbose_name="user at the target"),
                ),
                (
                    "target_password",
                    kitehub.db.secrets.EncryptedField(
                        blank=True, max_length=255, verbose_name="password at the target"
                    ),
                ),
                (
                    "makes_target",
                    models.BooleanField(
                        db_comment="The target database is made by the move, so aborting it drops it",
                        db_default=False,
                        verbose_name="makes the target",
                    ),
                ),
                (
                    "row_counts",
                    models.JSONField(blank=True, db_default={}, default=dict, verbose_name="rows"),
                ),
                (
                    "refused_ms",
                    models.BigIntegerField(
                        blank=True,
                        db_comment="For how long writes were refused",
                        null=True,
                        verbose_name="writes refused, ms",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                ("created_by", models.CharField(max_length=100, verbose_name="by")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                (
                    "instance",
                    kitehub.db.fields.LooseForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="moves",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
            ],
            options={
                "verbose_name": "move",
                "verbose_name_plural": "moves",
                "db_table": "instance_moves",
                "db_table_comment": "Moves of instances between databases",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["instance", "-created_at"], name="idx_instance_moves_instance"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("step__in", ("DONE", "PURGED", "ABORTED")), _negated=True
                        ),
                        fields=("instance",),
                        name="instance_moves_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "step__in",
                                [
                                    "PLANNED",
                                    "PREPARED",
                                    "COPIED",
                                    "SWITCHED",
                                    "DONE",
                                    "PURGED",
                                    "ABORTED",
                                ],
                            )
                        ),
                        name="instance_moves_step_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InstanceSuspension",
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
                (
                    "status_before",
                    models.CharField(
                        choices=[
                            ("TRIAL", "Trial"),
                            ("ACTIVE", "Active"),
                            ("SUSPENDED", "Suspended"),
                            ("CLOSED", "Closed"),
                        ],
                        max_length=20,
                        verbose_name="status before",
                    ),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), editable=False, verbose_name="since"
                    ),
                ),
                ("created_by", models.CharField(max_length=100, verbose_name="by")),
                ("resumed_at", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                (
                    "resumed_by",
                    models.CharField(
                        blank=True, max_length=100, null=True, verbose_name="resumed by"
                    ),
                ),
                (
                    "resume_reason",
                    models.CharField(
                        blank=True, max_length=500, null=True, verbose_name="reason to resume"
                    ),
                ),
                (
                    "instance",
                    kitehub.db.fields.LooseForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="suspensions",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
            ],
            options={
                "verbose_name": "suspension",
                "verbose_name_plural": "suspensions",
                "db_table": "instance_suspensions",
                "db_table_comment": "When an instance was suspended, by whom and why",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["instance", "-created_at"], name="idx_instance_suspensions_instance"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resumed_at__isnull", True)),
                        fields=("instance",),
                        name="instance_suspensions_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("resumed_at__isnull", True),
                            ("resumed_by__isnull", False),
                            _connector="OR",
                        ),
                        name="instance_suspensions_resumed_check",
                    ),
                ],
            },
        ),
        RunSQLFile(
            __file__, part="gates", models=["kitehub.InstanceGate", "kitehub.InstanceChange"]
        ),
        RunSQLFile(__file__, part="configs", models=["kitehub.InstanceConfig"]),
        RunSQLFile(__file__, part="passwords", models=["kitehub.InstanceMove"]),
    ]
