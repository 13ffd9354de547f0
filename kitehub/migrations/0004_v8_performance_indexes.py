"""The plan, V8: indexes for the commonest queries."""

from django.db import migrations, models

import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0003_v3_instance_bank_accounts"),
        ("storage", "0001_v7_storage_tracking"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="instanceconfig",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", models.Value(False))),
                fields=["tier", "deleted"],
                name="idx_instance_configs_tier_deleted",
            ),
        ),
        migrations.AddIndex(
            model_name="instance",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", models.Value(False))),
                fields=["id"],
                name="idx_instances_active",
            ),
        ),
        RunSQLFile(
            __file__,
            models=["kitehub.InstanceConfig"],
        ),
    ]
