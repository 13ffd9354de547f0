"""V10: the history of subscriptions has every change, its reason, and nothing else."""

from django.db import migrations, models

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0007_v10_subscriptions"),
    ]

    operations = [
        migrations.AddField(
            "subscriptionhistory",
            "current_period_start",
            models.DateTimeField(null=True, verbose_name="period starts"),
        ),
        migrations.AddField(
            "subscriptionhistory",
            "current_period_end",
            models.DateTimeField(null=True, verbose_name="period ends"),
        ),
        migrations.AddField(
            "subscriptionhistory",
            "trial_end",
            models.DateTimeField(null=True, verbose_name="trial ends"),
        ),
        migrations.AddField(
            "subscriptionhistory",
            "canceled_at",
            models.DateTimeField(null=True, verbose_name="cancelled at"),
        ),
        migrations.AddField(
            "subscriptionhistory",
            "deleted",
            models.BooleanField(null=True, verbose_name="deleted"),
        ),
        RunSQLFile(__file__, models=["billing.Subscription", "billing.SubscriptionHistory"]),
    ]
