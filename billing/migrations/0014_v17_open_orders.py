"""V17: an instance has one open order for each thing, and one order for each reference of its own."""

from django.db import migrations, models

import kitehub.db.operations


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0013_v17_checks_hold"),
    ]

    operations = [
        kitehub.db.operations.BuildUnique(
            model_name="paymentorder",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("deleted", False), ("status", "PENDING"), ("subject__isnull", False)
                ),
                fields=("instance", "subject"),
                name="payment_orders_open_subject_key",
            ),
        ),
        kitehub.db.operations.BuildUnique(
            model_name="paymentorder",
            constraint=models.UniqueConstraint(
                condition=models.Q(("client_reference__isnull", False)),
                fields=("instance", "client_reference"),
                name="payment_orders_client_reference_key",
            ),
        ),
    ]
