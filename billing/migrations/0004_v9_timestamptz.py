"""V9: every time of the plan gets its zone. The values are UTC."""

from django.db import migrations, models

import kitehub.db.functions
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0002_v8_performance_indexes"),
        ("billing", "0003_v8_performance_indexes"),
        ("branding", "0002_v8_performance_indexes"),
        ("kitehub", "0004_v8_performance_indexes"),
    ]

    operations = [
        RunSQLFile(
            __file__,
            models=["billing.PaymentOrder", "billing.Subscription", "billing.SubscriptionHistory"],
            state_operations=[
                migrations.AlterField(
                    model_name="paymentorder",
                    name="paid_at",
                    field=models.DateTimeField(blank=True, null=True, verbose_name="paid at"),
                ),
                migrations.AlterField(
                    model_name="paymentorder",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="paymentorder",
                    name="expires_at",
                    field=models.DateTimeField(
                        db_comment="24-hour expiry for payment", verbose_name="expires at"
                    ),
                ),
                migrations.AlterField(
                    model_name="paymentorder",
                    name="updated_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="paymentorder",
                    name="deleted_at",
                    field=models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="deleted at"
                    ),
                ),
                migrations.AlterField(
                    model_name="subscription",
                    name="current_period_start",
                    field=models.DateTimeField(verbose_name="period starts"),
                ),
                migrations.AlterField(
                    model_name="subscription",
                    name="current_period_end",
                    field=models.DateTimeField(
                        db_comment="When current billing period ends (renewal date)",
                        verbose_name="period ends",
                    ),
                ),
                migrations.AlterField(
                    model_name="subscription",
                    name="trial_end",
                    field=models.DateTimeField(
                        blank=True,
                        db_comment="Trial end date (14 days from trial_started_at)",
                        null=True,
                        verbose_name="trial ends",
                    ),
                ),
                migrations.AlterField(
                    model_name="subscription",
                    name="canceled_at",
                    field=models.DateTimeField(blank=True, null=True, verbose_name="cancelled at"),
                ),
                migrations.AlterField(
                    model_name="subscription",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="subscription",
                    name="updated_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="subscription",
                    name="deleted_at",
                    field=models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="deleted at"
                    ),
                ),
                migrations.AlterField(
                    model_name="subscriptionhistory",
                    name="changed_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="changed at"
                    ),
                ),
            ],
        ),
    ]
