"""V17: which đồng of which bank line pays which order."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0016_v17_credit_and_refunds"),
    ]

    operations = [
        migrations.CreateModel(
            name="PaymentAllocation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "transfer",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="billing.banktransfer",
                        verbose_name="bank transfer",
                    ),
                ),
                (
                    "credit_entry",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="billing.creditentry",
                        verbose_name="credit",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="billing.paymentorder",
                        verbose_name="payment order",
                    ),
                ),
                (
                    "amount",
                    models.BigIntegerField(
                        db_comment="VND; negative takes back", verbose_name="amount"
                    ),
                ),
                (
                    "reverses",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="billing.paymentallocation",
                        verbose_name="takes back",
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="billing.refund",
                        verbose_name="refund",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="booked at"
                    ),
                ),
                (
                    "created_by",
                    models.CharField(blank=True, max_length=100, verbose_name="booked by"),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
            ],
            options={
                "verbose_name": "allocation",
                "verbose_name_plural": "allocations",
                "db_table": "payment_allocations",
                "db_table_comment": "What of which bank line or credit pays which order; append-only",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["order"], name="idx_payment_allocations_order"
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("transfer__isnull", False)),
                        fields=["transfer"],
                        name="idx_payment_allocations_transfer",
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("credit_entry__isnull", False)),
                        fields=["credit_entry"],
                        name="idx_payment_allocations_credit",
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("reverses__isnull", False)),
                        fields=["reverses"],
                        name="idx_payment_allocations_reverses",
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("refund__isnull", False)),
                        fields=["refund"],
                        name="idx_payment_allocations_refund",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("credit_entry__isnull", True), ("transfer__isnull", False)),
                            models.Q(("credit_entry__isnull", False), ("transfer__isnull", True)),
                            _connector="OR",
                        ),
                        name="payment_allocations_source_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("amount__gt", 0),
                                ("refund__isnull", True),
                                ("reverses__isnull", True),
                            ),
                            models.Q(("amount__lt", 0), ("reverses__isnull", False)),
                            _connector="OR",
                        ),
                        name="payment_allocations_amount_check",
                    ),
                ],
            },
        ),
        RunSQLFile(
            __file__,
            models=["billing.PaymentAllocation", "billing.PaymentOrder", "billing.BankTransfer"],
        ),
    ]
