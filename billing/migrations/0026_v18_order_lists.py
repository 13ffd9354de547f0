"""V18: the back office lists orders by state, kind, school and amount."""

from django.db import migrations, models

import kitehub.db.indexes
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0025_v18_trials_by_end"),
        ("kitehub", "0018_v17_language"),
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        BuildIndex(
            model_name="paymentorder",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False)),
                fields=["-created_at", "-id"],
                name="idx_payment_orders_list",
            ),
        ),
        BuildIndex(
            model_name="paymentorder",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False)),
                fields=["status", "-created_at", "-id"],
                name="idx_payment_orders_list_status",
            ),
        ),
        BuildIndex(
            model_name="paymentorder",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False)),
                fields=["type", "-created_at", "-id"],
                name="idx_payment_orders_list_type",
            ),
        ),
        BuildIndex(
            model_name="paymentorder",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False)),
                fields=["instance", "-created_at", "-id"],
                name="idx_payment_orders_list_instance",
            ),
        ),
        BuildIndex(
            model_name="paymentorder",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False)),
                fields=["-amount", "-created_at", "-id"],
                name="idx_payment_orders_list_amount",
            ),
        ),
        BuildIndex(
            model_name="paymentorder",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False), ("tier__isnull", False)),
                fields=["tier", "-created_at", "-id"],
                name="idx_payment_orders_list_tier",
            ),
        ),
        BuildIndex(
            model_name="paymentorder",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False), ("paid_at__isnull", False)),
                fields=["-paid_at", "-id"],
                name="idx_payment_orders_list_paid_at",
            ),
        ),
        BuildIndex(
            model_name="paymentorder",
            index=kitehub.db.indexes.Index(
                condition=models.Q(
                    models.Q(("paid_amount__gt", 0), ("status__in", ["PENDING", "EXPIRED"])),
                    ("deleted", False),
                ),
                fields=["-created_at", "-id"],
                name="idx_payment_orders_list_part_paid",
            ),
        ),
        BuildIndex(
            model_name="paymentorder",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", True)),
                fields=["-created_at", "-id"],
                name="idx_payment_orders_deleted",
            ),
        ),
    ]
