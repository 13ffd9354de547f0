"""V18: the page of a bank line finds the lines that say the same."""

from django.db import migrations, models

from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0030_v18_order_views"),
    ]

    operations = [
        BuildIndex(
            model_name="banktransfer",
            index=Index(
                condition=models.Q(("duplicate_of__isnull", False)),
                fields=["duplicate_of"],
                name="idx_bank_transfers_duplicate_of",
            ),
        ),
    ]
