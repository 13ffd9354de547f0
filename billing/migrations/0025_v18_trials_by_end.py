"""V18: trials are found by when they end."""

from django.db import migrations, models

from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0024_v18_figures_so_far"),
    ]

    operations = [
        BuildIndex(
            model_name="subscription",
            index=Index(
                condition=models.Q(("deleted", False), ("status", "TRIAL")),
                fields=["current_period_end"],
                name="idx_subscriptions_trials",
            ),
        ),
    ]
