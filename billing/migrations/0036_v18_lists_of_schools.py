"""V18: the back office lists what schools have: credit, extensions and pauses."""

from django.db import migrations

from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0035_v18_late_orders"),
    ]

    operations = [
        BuildIndex(
            model_name="creditbalance",
            index=Index(fields=["-balance", "-id"], name="idx_credit_balances_list"),
        ),
        BuildIndex(
            model_name="subscriptionadjustment",
            index=Index(fields=["-starts_at", "-id"], name="idx_subscription_adjustments_list"),
        ),
        BuildIndex(
            model_name="subscriptionadjustment",
            index=Index(
                fields=["kind", "-starts_at", "-id"], name="idx_subscription_adjustments_list_kind"
            ),
        ),
        BuildIndex(
            model_name="feedsilence",
            index=Index(fields=["-starts_at", "-id"], name="idx_bank_feed_silences_list"),
        ),
    ]
