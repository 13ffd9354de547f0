"""V18: the back office lists bank lines and what they pay for."""

from django.db import migrations, models

import kitehub.db.indexes
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0026_v18_order_lists"),
    ]

    operations = [
        BuildIndex(
            model_name="banktransfer",
            index=kitehub.db.indexes.Index(
                fields=["state", "-received_at", "-id"], name="idx_bank_transfers_list_state"
            ),
        ),
        BuildIndex(
            model_name="banktransfer",
            index=kitehub.db.indexes.Index(
                fields=["direction", "-received_at", "-id"],
                name="idx_bank_transfers_list_direction",
            ),
        ),
        BuildIndex(
            model_name="banktransfer",
            index=kitehub.db.indexes.Index(
                fields=["provider", "-received_at", "-id"], name="idx_bank_transfers_list_provider"
            ),
        ),
        BuildIndex(
            model_name="banktransfer",
            index=kitehub.db.indexes.Index(
                fields=["account_number", "-received_at", "-id"],
                name="idx_bank_transfers_list_account_number",
            ),
        ),
        BuildIndex(
            model_name="banktransfer",
            index=kitehub.db.indexes.Index(
                fields=["-amount", "-received_at", "-id"], name="idx_bank_transfers_list_amount"
            ),
        ),
        BuildIndex(
            model_name="banktransfer",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("instance__isnull", False)),
                fields=["instance", "-received_at", "-id"],
                name="idx_bank_transfers_list_instance",
            ),
        ),
        BuildIndex(
            model_name="banktransfer",
            index=kitehub.db.indexes.Index(
                fields=["provider_id"], name="idx_bank_transfers_provider_id"
            ),
        ),
        BuildIndex(
            model_name="paymentallocation",
            index=kitehub.db.indexes.Index(
                fields=["-created_at", "-id"], name="idx_payment_allocations_list"
            ),
        ),
    ]
