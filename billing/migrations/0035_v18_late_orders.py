"""V18: orders that were paid after their expiry are counted and listed from an index."""

from django.db import migrations, models

from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0034_v18_planned_matches"),
        ("kitehub", "0018_v17_language"),
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        BuildIndex(
            model_name="paymentorder",
            index=Index(
                condition=models.Q(
                    ("deleted", False),
                    ("paid_at__gt", models.F("expires_at")),
                    ("status", "PAID"),
                ),
                fields=["-paid_at", "-id"],
                name="idx_payment_orders_late",
            ),
        ),
    ]
