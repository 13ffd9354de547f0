"""V17: what was paid in part on orders that have expired is found when the next one is opened."""

from django.db import migrations, models

from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0020_v17_subscription_lifecycle"),
    ]

    operations = [
        BuildIndex(
            model_name="paymentorder",
            index=Index(
                condition=models.Q(
                    ("deleted", False), ("paid_amount__gt", 0), ("status", "EXPIRED")
                ),
                fields=["instance", "subject"],
                name="idx_payment_orders_part_paid",
            ),
        ),
    ]
