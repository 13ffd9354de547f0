"""V10: events are for ever, and add up to what is used, however many write at once."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import storage.functions
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0003_v10_limits"),
    ]

    operations = [
        migrations.AddField(
            "storageevent",
            "correction_bytes",
            models.BigIntegerField(blank=True, null=True, verbose_name="correction"),
        ),
        migrations.AddField(
            "storageevent",
            "reason",
            models.CharField(
                blank=True,
                db_default=storage.functions.Reason(),
                max_length=500,
                null=True,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            "storageevent",
            "created_by",
            models.CharField(
                blank=True,
                db_default=storage.functions.Actor(),
                max_length=100,
                null=True,
                verbose_name="by",
            ),
        ),
        migrations.AlterField(
            "storageevent",
            "operation",
            models.CharField(
                choices=[
                    ("UPLOAD", "Upload"),
                    ("DELETE", "Deletion"),
                    ("ADJUST", "Adjustment"),
                ],
                max_length=10,
                verbose_name="operation",
            ),
        ),
        migrations.RemoveConstraint("storageevent", "storage_events_operation_check"),
        AddConstraintNotValid(
            "storageevent",
            models.CheckConstraint(
                condition=models.Q(("operation__in", ["UPLOAD", "DELETE", "ADJUST"])),
                name="storage_events_operation_check",
            ),
        ),
        AddConstraintNotValid(
            "storageevent",
            models.CheckConstraint(
                condition=models.Q(
                    ("operation", "ADJUST"), ("file_size_bytes__gte", 0), _connector="OR"
                ),
                name="storage_events_size_check",
            ),
        ),
        AddConstraintNotValid(
            "storageevent",
            models.CheckConstraint(
                condition=models.Q(
                    ("operation", "ADJUST"), ("correction_bytes__isnull", True), _connector="OR"
                ),
                name="storage_events_correction_check",
            ),
        ),
        RunSQLFile(__file__, models=["storage.StorageUsage", "storage.StorageEvent"]),
    ]
