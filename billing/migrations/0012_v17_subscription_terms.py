"""V17: a downgrade that waits, and how many months a renewal is for."""

import django.contrib.postgres.operations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0011_v17_order_terms"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="pending_tier",
            field=models.CharField(
                blank=True,
                choices=[("BASIC", "Basic"), ("STANDARD", "Standard"), ("PREMIUM", "Premium")],
                db_comment="A downgrade that waits for the end of what is paid",
                max_length=20,
                null=True,
                verbose_name="tier from the next period on",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="billing_months",
            field=models.SmallIntegerField(
                db_comment="How many months a renewal order is for",
                db_default=1,
                verbose_name="months a renewal",
            ),
        ),
        django.contrib.postgres.operations.AddConstraintNotValid(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("pending_tier__in", ["BASIC", "STANDARD", "PREMIUM"])),
                name="subscriptions_pending_tier_check",
            ),
        ),
        django.contrib.postgres.operations.AddConstraintNotValid(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("billing_months__range", (1, 36))),
                name="subscriptions_billing_months_check",
            ),
        ),
    ]
