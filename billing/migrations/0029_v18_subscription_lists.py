"""V18: the back office lists subscriptions, their periods and their history."""

from django.db import migrations, models

import kitehub.db.indexes
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0028_v18_money_lists"),
    ]

    operations = [
        BuildIndex(
            model_name="subscription",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False)),
                fields=["status", "current_period_end", "id"],
                name="idx_subscriptions_list_status",
            ),
        ),
        BuildIndex(
            model_name="subscription",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False)),
                fields=["tier", "current_period_end", "id"],
                name="idx_subscriptions_list_tier",
            ),
        ),
        BuildIndex(
            model_name="subscription",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", True)),
                fields=["current_period_end", "id"],
                name="idx_subscriptions_deleted",
            ),
        ),
        BuildIndex(
            model_name="subscriptionhistory",
            index=kitehub.db.indexes.Index(
                fields=["status", "-changed_at", "-id"], name="idx_subscription_history_list_status"
            ),
        ),
        BuildIndex(
            model_name="subscriptionperiod",
            index=kitehub.db.indexes.Index(
                fields=["-starts_at", "-id"], name="idx_subscription_periods_list"
            ),
        ),
        BuildIndex(
            model_name="subscriptionperiod",
            index=kitehub.db.indexes.Index(
                fields=["kind", "-starts_at", "-id"], name="idx_subscription_periods_list_kind"
            ),
        ),
        BuildIndex(
            model_name="subscriptionperiod",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("order__isnull", False)),
                fields=["order"],
                name="idx_subscription_periods_order",
            ),
        ),
    ]
