"""V18: the back office lists branding jobs."""

from django.db import migrations, models

import kitehub.db.indexes
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("branding", "0005_v10_mend_rows"),
        ("kitehub", "0018_v17_language"),
        ("billing", "0022_v17_closed_schools"),
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        BuildIndex(
            model_name="brandingjob",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False)),
                fields=["-created_at", "-id"],
                name="idx_branding_jobs_list",
            ),
        ),
        BuildIndex(
            model_name="brandingjob",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False)),
                fields=["status", "-created_at", "-id"],
                name="idx_branding_jobs_list_status",
            ),
        ),
        BuildIndex(
            model_name="brandingjob",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", True)),
                fields=["-created_at", "-id"],
                name="idx_branding_jobs_deleted",
            ),
        ),
    ]
