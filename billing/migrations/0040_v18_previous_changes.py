"""V18: the back office shows what each row of a subscription's history changed."""

from django.db import migrations

from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0039_v18_only_in_a_statement"),
    ]

    operations = [
        BuildIndex(
            model_name="subscriptionhistory",
            index=Index(
                fields=["subscription", "-changed_at", "-id"],
                name="idx_subscription_history_previous",
            ),
        ),
    ]
