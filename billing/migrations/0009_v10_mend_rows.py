"""V10: rows from before get what has one right answer; then the constraints hold for them too."""

from django.db import migrations

from kitehub.db.adoption import MendRows, ValidateWhereClean


class Migration(migrations.Migration):
    # In batches, each a transaction of its own.
    atomic = False

    dependencies = [
        ("billing", "0008_v10_subscription_history"),
    ]

    operations = [
        MendRows(
            "paymentorder",
            change="deleted_at = updated_at",
            broken="deleted AND deleted_at IS NULL",
        ),
        # The flag leads: it is what every query and index of the plan goes by.
        MendRows(
            "paymentorder",
            change="deleted_at = NULL",
            broken="NOT deleted AND deleted_at IS NOT NULL",
        ),
        ValidateWhereClean("paymentorder", "payment_orders_deleted_check"),
        MendRows(
            "subscription",
            change="deleted_at = updated_at",
            broken="deleted AND deleted_at IS NULL",
        ),
        # The flag leads: it is what every query and index of the plan goes by.
        MendRows(
            "subscription",
            change="deleted_at = NULL",
            broken="NOT deleted AND deleted_at IS NOT NULL",
        ),
        ValidateWhereClean("subscription", "subscriptions_deleted_check"),
        ValidateWhereClean("paymentorder", "payment_orders_paid_check"),
    ]
