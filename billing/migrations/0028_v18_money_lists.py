"""V18: the back office lists credit, refunds and receipts."""

from django.db import migrations

import kitehub.db.indexes
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("billing", "0027_v18_transfer_lists"),
    ]

    operations = [
        BuildIndex(
            model_name="creditentry",
            index=kitehub.db.indexes.Index(
                fields=["-created_at", "-id"], name="idx_credit_entries_list"
            ),
        ),
        BuildIndex(
            model_name="creditentry",
            index=kitehub.db.indexes.Index(
                fields=["kind", "-created_at", "-id"], name="idx_credit_entries_list_kind"
            ),
        ),
        BuildIndex(
            model_name="creditentry",
            index=kitehub.db.indexes.Index(
                fields=["-amount", "-created_at", "-id"], name="idx_credit_entries_list_amount"
            ),
        ),
        BuildIndex(
            model_name="receipt",
            index=kitehub.db.indexes.Index(
                fields=["kind", "-year", "-number"], name="idx_receipts_list_kind"
            ),
        ),
        BuildIndex(
            model_name="receipt",
            index=kitehub.db.indexes.Index(
                fields=["instance", "-year", "-number"], name="idx_receipts_list_instance"
            ),
        ),
        BuildIndex(
            model_name="receipt",
            index=kitehub.db.indexes.Index(
                fields=["-amount", "-year", "-number"], name="idx_receipts_list_amount"
            ),
        ),
        BuildIndex(
            model_name="receipt",
            index=kitehub.db.indexes.Index(
                fields=["-issued_at", "-id"], name="idx_receipts_list_issued_at"
            ),
        ),
        BuildIndex(
            model_name="receipt",
            index=kitehub.db.indexes.Index(fields=["order"], name="idx_receipts_order"),
        ),
        BuildIndex(
            model_name="refund",
            index=kitehub.db.indexes.Index(
                fields=["-requested_at", "-id"], name="idx_refunds_list"
            ),
        ),
        BuildIndex(
            model_name="refund",
            index=kitehub.db.indexes.Index(
                fields=["status", "-requested_at", "-id"], name="idx_refunds_list_status"
            ),
        ),
        BuildIndex(
            model_name="refund",
            index=kitehub.db.indexes.Index(
                fields=["source", "-requested_at", "-id"], name="idx_refunds_list_source"
            ),
        ),
        BuildIndex(
            model_name="refund",
            index=kitehub.db.indexes.Index(
                fields=["-amount", "-requested_at", "-id"], name="idx_refunds_list_amount"
            ),
        ),
    ]
