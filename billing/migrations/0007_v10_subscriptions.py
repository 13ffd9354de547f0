"""V10: what the database guarantees of subscriptions, from now on; old rows are mended later."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0006_v10_payment_orders"),
    ]

    operations = [
        RunSQLFile(__file__, models=["billing.Subscription"]),
        AddConstraintNotValid(
            "subscription",
            models.CheckConstraint(
                condition=models.Q(("deleted", True), ("deleted_at__isnull", False))
                | models.Q(("deleted", False), ("deleted_at__isnull", True)),
                name="subscriptions_deleted_check",
            ),
        ),
    ]
