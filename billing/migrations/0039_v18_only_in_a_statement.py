"""V18: lines that wait because one person imported them and no feed told them; of choices alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0038_v18_papers_of_schools"),
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
                    ("BY_HAND", "Perhaps the same money as a payment entered by hand"),
                    ("ONLY_STATEMENT", "Only in a statement: the feed didn't tell it"),
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
