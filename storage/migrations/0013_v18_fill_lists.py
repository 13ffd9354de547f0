"""V18: the back office lists schools by how full their storage is, and what isn't an upload."""

from django.db import migrations, models

from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("storage", "0012_v18_fill_mark"),
    ]

    operations = [
        BuildIndex(
            model_name="storageusage",
            index=Index(
                condition=models.Q(("fill_mark__gte", 90)),
                fields=["instance_id"],
                name="idx_storage_usage_nearly_full",
            ),
        ),
        BuildIndex(
            model_name="storageusage",
            index=Index(
                condition=models.Q(("fill_mark", 100)),
                fields=["instance_id"],
                name="idx_storage_usage_over_limit",
            ),
        ),
        BuildIndex(
            model_name="storageevent",
            index=Index(
                condition=models.Q(("operation__in", ("DELETE", "ADJUST"))),
                fields=["operation", "-created_at", "-id"],
                name="idx_storage_events_list_rare",
            ),
        ),
    ]
