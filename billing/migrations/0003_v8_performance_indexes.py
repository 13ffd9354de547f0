"""The plan, V8: indexes for the commonest queries."""

from django.db import migrations, models

import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0002_v6_subscriptions"),
        ("storage", "0001_v7_storage_tracking"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="paymentorder",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("status", "PENDING")),
                fields=["status", "-created_at"],
                name="idx_payment_orders_status_created",
            ),
        ),
        migrations.AddIndex(
            model_name="paymentorder",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", models.Value(False))),
                fields=["id"],
                name="idx_payment_orders_active",
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("status", "ACTIVE")),
                fields=["status", "current_period_end"],
                name="idx_subscriptions_status_period_end",
            ),
        ),
        RunSQLFile(
            __file__,
            models=["billing.PaymentOrder", "billing.Subscription"],
        ),
    ]
