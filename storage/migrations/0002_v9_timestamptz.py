"""V9: every time of the plan gets its zone. The values are UTC."""

from django.db import migrations, models

import kitehub.db.functions
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0002_v8_performance_indexes"),
        ("billing", "0003_v8_performance_indexes"),
        ("branding", "0002_v8_performance_indexes"),
        ("kitehub", "0004_v8_performance_indexes"),
        ("storage", "0001_v7_storage_tracking"),
    ]

    operations = [
        RunSQLFile(
            __file__,
            models=["storage.StorageUsage", "storage.StorageEvent"],
            state_operations=[
                migrations.AlterField(
                    model_name="storageusage",
                    name="last_updated",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="last change"
                    ),
                ),
                migrations.AlterField(
                    model_name="storageevent",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="time"
                    ),
                ),
            ],
        ),
    ]
