"""V10: what the database guarantees of payment orders, from now on; old rows are mended later."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0005_v10_transaction_reference_index"),
        ("kitehub", "0006_v10_functions"),
    ]

    operations = [
        RunSQLFile(__file__, models=["billing.PaymentOrder"]),
        AddConstraintNotValid(
            "paymentorder",
            models.CheckConstraint(
                condition=models.Q(("deleted", True), ("deleted_at__isnull", False))
                | models.Q(("deleted", False), ("deleted_at__isnull", True)),
                name="payment_orders_deleted_check",
            ),
        ),
        AddConstraintNotValid(
            "paymentorder",
            models.CheckConstraint(
                condition=models.Q(("status", "PAID"), _negated=True)
                | models.Q(
                    ("paid_at__isnull", False),
                    ("transaction_reference__gt", ""),
                    ("transaction_reference__isnull", False),
                ),
                name="payment_orders_paid_check",
                violation_error_message="A paid order has its time and the bank's reference.",
            ),
        ),
    ]
