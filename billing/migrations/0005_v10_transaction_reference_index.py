"""V10: staff find an order by the bank's reference."""

from django.db import migrations, models

from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0004_v9_timestamptz"),
        ("analytics", "0003_v9_timestamptz"),
        ("branding", "0003_v9_timestamptz"),
        ("kitehub", "0005_v9_timestamptz"),
        ("storage", "0002_v9_timestamptz"),
    ]

    operations = [
        BuildIndex(
            model_name="paymentorder",
            index=Index(
                condition=models.Q(("transaction_reference__isnull", False)),
                fields=["transaction_reference"],
                name="idx_payment_orders_transaction_reference",
            ),
        ),
    ]
