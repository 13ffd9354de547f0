"""V18: papers for cash are numbered by each school, and the same number of two schools is no clash."""

from django.db import migrations, models

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0037_v18_goodwill"),
    ]

    operations = [
        RunSQLFile(
            __file__,
            models=["billing.ManualPayment"],
            # Only its comment: Django would alter the type, which a trigger's condition holds.
            state_operations=[
                migrations.AlterField(
                    model_name="manualpayment",
                    name="account_number",
                    field=models.CharField(
                        blank=True,
                        db_comment="Of the order; for cash, whose it is: CASH:<instance>, or CASH:KITEHUB",
                        max_length=50,
                        verbose_name="account number",
                    ),
                ),
            ],
        ),
    ]
