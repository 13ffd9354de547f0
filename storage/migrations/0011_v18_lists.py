"""V18: the back office lists reservations."""

from django.db import migrations

from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("storage", "0010_v16_tier_limits"),
        ("kitehub", "0018_v17_language"),
        ("billing", "0022_v17_closed_schools"),
    ]

    operations = [
        BuildIndex(
            model_name="reservation",
            index=Index(fields=["-created_at", "-id"], name="idx_storage_reservations_list"),
        ),
    ]
