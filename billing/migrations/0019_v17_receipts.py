"""V17: receipts, numbered by year without gaps."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0018_v17_subscription_periods"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReceiptCounter",
            fields=[
                (
                    "year",
                    models.SmallIntegerField(
                        primary_key=True, serialize=False, verbose_name="year"
                    ),
                ),
                ("last", models.IntegerField(verbose_name="last number")),
            ],
            options={
                "verbose_name": "receipt counter",
                "verbose_name_plural": "receipt counters",
                "db_table": "receipt_counters",
                "db_table_comment": "The last receipt's number of each year; kept by receipts",
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="Receipt",
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
                    "year",
                    models.SmallIntegerField(
                        db_comment="Of issued_at, Vietnamese time", verbose_name="year"
                    ),
                ),
                ("number", models.IntegerField(editable=False, verbose_name="number")),
                (
                    "kind",
                    models.CharField(
                        choices=[("RECEIPT", "Receipt"), ("VOID", "Voided receipt")],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="billing.paymentorder",
                        verbose_name="payment order",
                    ),
                ),
                (
                    "instance",
                    kitehub.db.fields.LooseForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="receipts",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
                (
                    "voids",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="voided_by",
                        to="billing.receipt",
                        verbose_name="makes void",
                    ),
                ),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("content", models.JSONField(verbose_name="as printed")),
                ("issued_at", models.DateTimeField(verbose_name="issued at")),
                (
                    "created_by",
                    models.CharField(blank=True, max_length=100, verbose_name="issued by"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="created at"
                    ),
                ),
            ],
            options={
                "verbose_name": "receipt",
                "verbose_name_plural": "receipts",
                "db_table": "receipts",
                "db_table_comment": "Receipts, numbered by year without gaps; append-only",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["instance", "-issued_at"], name="idx_receipts_instance"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("year", "number"), name="receipts_number_key"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "RECEIPT")),
                        fields=("order",),
                        name="receipts_order_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("amount__gt", 0), ("kind", "RECEIPT"), ("voids__isnull", True)
                            ),
                            models.Q(("amount__lt", 0), ("kind", "VOID"), ("voids__isnull", False)),
                            _connector="OR",
                        ),
                        name="receipts_kind_check",
                    ),
                ],
            },
        ),
        RunSQLFile(__file__, models=["billing.Receipt", "billing.ReceiptCounter"]),
    ]
