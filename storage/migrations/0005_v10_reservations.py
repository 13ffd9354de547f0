"""V10: room is set aside for an upload before it begins, and never more than there is."""

import uuid

import django.contrib.postgres.functions
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0004_v10_ledger"),
    ]

    operations = [
        migrations.AddField(
            "storageusage",
            "reserved_bytes",
            models.BigIntegerField(db_default=0, verbose_name="reserved"),
        ),
        AddConstraintNotValid(
            "storageusage",
            models.CheckConstraint(
                condition=models.Q(("reserved_bytes__gte", 0)),
                name="storage_usage_reserved_bytes_check",
            ),
        ),
        migrations.CreateModel(
            name="Reservation",
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
                ("size_bytes", models.BigIntegerField(verbose_name="size")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("OPEN", "Open"),
                            ("COMMITTED", "Uploaded"),
                            ("RELEASED", "Given back"),
                            ("EXPIRED", "Expired"),
                        ],
                        db_default="OPEN",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="created at"
                    ),
                ),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                (
                    "settled_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="settled at"),
                ),
            ],
            options={
                "verbose_name": "reservation",
                "verbose_name_plural": "reservations",
                "db_table": "storage_reservations",
                "db_table_comment": "Room set aside for uploads that are under way",
                "indexes": [
                    kitehub.db.indexes.Index(
                        condition=models.Q(("status", "OPEN")),
                        fields=["instance_id", "expires_at"],
                        name="idx_storage_reservations_open",
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("settled_at__isnull", False)),
                        fields=["settled_at"],
                        name="idx_storage_reservations_settled",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("size_bytes__gte", 0)),
                        name="storage_reservations_size_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["OPEN", "COMMITTED", "RELEASED", "EXPIRED"])
                        ),
                        name="storage_reservations_status_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("settled_at__isnull", True), ("status", "OPEN")),
                            models.Q(
                                models.Q(("status", "OPEN"), _negated=True),
                                ("settled_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="storage_reservations_settled_check",
                    ),
                ],
            },
        ),
        RunSQLFile(__file__, models=["storage.StorageUsage", "storage.Reservation"]),
    ]
