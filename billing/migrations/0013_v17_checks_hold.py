"""V17: the new checks hold for the rows of before too; nobody waits for it."""

import django.contrib.postgres.operations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0012_v17_subscription_terms"),
    ]

    operations = [
        django.contrib.postgres.operations.ValidateConstraint(
            model_name="paymentorder",
            name="payment_orders_paid_amount_check",
        ),
        django.contrib.postgres.operations.ValidateConstraint(
            model_name="paymentorder",
            name="payment_orders_purpose_check",
        ),
        django.contrib.postgres.operations.ValidateConstraint(
            model_name="paymentorder",
            name="payment_orders_months_check",
        ),
        django.contrib.postgres.operations.ValidateConstraint(
            model_name="subscription",
            name="subscriptions_pending_tier_check",
        ),
        django.contrib.postgres.operations.ValidateConstraint(
            model_name="subscription",
            name="subscriptions_billing_months_check",
        ),
    ]
