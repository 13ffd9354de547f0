"""The plan, V8: indexes for the commonest queries."""

from django.db import migrations, models

import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("branding", "0001_v5_branding_jobs"),
        ("storage", "0001_v7_storage_tracking"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="brandingjob",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("status__in", ["PENDING", "PROCESSING"])),
                fields=["status", "-updated_at"],
                name="idx_branding_jobs_status_updated",
            ),
        ),
        RunSQLFile(
            __file__,
            models=["branding.BrandingJob"],
        ),
    ]
