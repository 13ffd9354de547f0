"""V18: orders that have a part of their money are counted and listed from an index."""

from django.db import migrations, models

from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0040_v18_late_orders"),
    ]

    operations = [
        BuildIndex(
            model_name="paymentorder",
            index=Index(
                condition=models.Q(
                    ("deleted", False),
                    ("paid_amount__gt", 0),
                    ("status__in", ["PENDING", "EXPIRED"]),
                ),
                fields=["-created_at", "-id"],
                name="idx_payment_orders_partly",
            ),
        ),
    ]
