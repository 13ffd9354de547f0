"""V17: money for a school that is closed waits, and says why. No SQL: it is a choice of words."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0021_v17_part_paid_orders"),
    ]

    operations = [
        migrations.AlterField(
            model_name="banktransfer",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("NO_CODE", "No order code in the memo"),
                    ("UNKNOWN_ORDER", "No order has this code"),
                    ("CANCELLED_ORDER", "The order is cancelled"),
                    ("CLOSED", "The school or its subscription is closed"),
                    ("WRONG_ACCOUNT", "The order is paid to another account"),
                    ("UNKNOWN_ACCOUNT", "Nobody is paid on this account"),
                    ("AMBIGUOUS", "Several orders, and the amount does not fit them"),
                    ("OVERPAID", "More than the order asks for"),
                    ("ALREADY_PAID", "The order is paid already"),
                    ("UNDONE", "Taken off its order again"),
                    ("OUTGOING", "Money sent, not received"),
                    ("TEST", "A test call of the provider"),
                ],
                max_length=30,
                null=True,
                verbose_name="why",
            ),
        ),
    ]
