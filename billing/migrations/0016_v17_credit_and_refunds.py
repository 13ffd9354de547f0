"""V17: the money that instances have with KiteHub, and what is paid back."""

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
        ("billing", "0015_v17_bank_transfers"),
    ]

    operations = [
        migrations.CreateModel(
            name="Refund",
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
                    "source",
                    models.CharField(
                        choices=[
                            ("ORDER", "A paid order"),
                            ("CREDIT", "Credit"),
                            ("TRANSFER", "A bank line without an order"),
                        ],
                        max_length=20,
                        verbose_name="of",
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
                        related_name="refunds",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="billing.paymentorder",
                        verbose_name="payment order",
                    ),
                ),
                (
                    "transfer",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="billing.banktransfer",
                        verbose_name="bank transfer",
                    ),
                ),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("REQUESTED", "To be approved"),
                            ("APPROVED", "To be sent"),
                            ("SENT", "Sent"),
                            ("REJECTED", "Rejected"),
                        ],
                        db_default="REQUESTED",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                (
                    "payee_bank_bin",
                    models.CharField(blank=True, max_length=6, verbose_name="bank (BIN)"),
                ),
                (
                    "payee_account",
                    models.CharField(blank=True, max_length=50, verbose_name="account number"),
                ),
                (
                    "payee_name",
                    models.CharField(blank=True, max_length=200, verbose_name="account holder"),
                ),
                ("requested_by", models.CharField(max_length=100, verbose_name="asked for by")),
                (
                    "requested_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="asked for at"
                    ),
                ),
                (
                    "decided_by",
                    models.CharField(
                        blank=True, max_length=100, null=True, verbose_name="decided by"
                    ),
                ),
                (
                    "decided_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="decided at"),
                ),
                (
                    "decision",
                    models.CharField(blank=True, max_length=500, verbose_name="why so decided"),
                ),
                (
                    "sent_by",
                    models.CharField(blank=True, max_length=100, null=True, verbose_name="sent by"),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent at")),
                (
                    "sent_reference",
                    models.CharField(blank=True, max_length=100, verbose_name="bank reference"),
                ),
            ],
            options={
                "verbose_name": "refund",
                "verbose_name_plural": "refunds",
                "db_table": "refunds",
                "db_table_comment": "Refunds, each approved by a second person",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["status", "requested_at"], name="idx_refunds_status"
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("order__isnull", False)),
                        fields=["order"],
                        name="idx_refunds_order",
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("transfer__isnull", False)),
                        fields=["transfer"],
                        name="idx_refunds_transfer",
                    ),
                    kitehub.db.indexes.Index(fields=["instance"], name="idx_refunds_instance"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="refunds_amount_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["REQUESTED", "APPROVED", "SENT", "REJECTED"])
                        ),
                        name="refunds_status_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("order__isnull", False),
                                ("source", "ORDER"),
                                ("transfer__isnull", True),
                            ),
                            models.Q(
                                ("order__isnull", True),
                                ("source", "TRANSFER"),
                                ("transfer__isnull", False),
                            ),
                            models.Q(
                                ("instance__isnull", False),
                                ("order__isnull", True),
                                ("source", "CREDIT"),
                                ("transfer__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="refunds_source_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by__isnull", True),
                                ("status", "REQUESTED"),
                            ),
                            models.Q(
                                models.Q(("status", "REQUESTED"), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="refunds_decided_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            ("status", "REJECTED"),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="refunds_two_people_check",
                        violation_error_message="Who asked for a refund can't approve it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "SENT"), _negated=True),
                            models.Q(("sent_at__isnull", False), ("sent_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="refunds_sent_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditBalance",
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
                    "instance",
                    kitehub.db.fields.LooseOneToOneField(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="credit_balance",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
                (
                    "balance",
                    models.BigIntegerField(db_default=0, editable=False, verbose_name="credit"),
                ),
            ],
            options={
                "verbose_name": "credit balance",
                "verbose_name_plural": "credit balances",
                "db_table": "credit_balances",
                "db_table_comment": "Credit of instances; kept by credit_entries",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("balance__gte", 0)),
                        name="credit_balances_balance_check",
                    )
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="CreditEntry",
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
                    "instance",
                    kitehub.db.fields.LooseForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="credit_entries",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("EXCESS", "Paid more than was asked for"),
                            ("RELEASED", "Order not carried out, its money kept"),
                            ("GRANTED", "Given by staff"),
                            ("SPENT", "Used for an order"),
                            ("REFUNDED", "Paid back"),
                            ("UNDONE", "Booking undone"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                (
                    "transfer",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_entries",
                        to="billing.banktransfer",
                        verbose_name="bank transfer",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_entries",
                        to="billing.paymentorder",
                        verbose_name="payment order",
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_entries",
                        to="billing.refund",
                        verbose_name="refund",
                    ),
                ),
                (
                    "balance_after",
                    models.BigIntegerField(editable=False, verbose_name="credit after"),
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
                "verbose_name": "credit entry",
                "verbose_name_plural": "credit entries",
                "db_table": "credit_entries",
                "db_table_comment": "Changes of instances' credit; append-only",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["instance", "-created_at"], name="idx_credit_entries_instance"
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("transfer__isnull", False)),
                        fields=["transfer"],
                        name="idx_credit_entries_transfer",
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("order__isnull", False)),
                        fields=["order"],
                        name="idx_credit_entries_order",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["EXCESS", "RELEASED", "GRANTED", "SPENT", "REFUNDED", "UNDONE"],
                            ),
                            models.Q(("amount", 0), _negated=True),
                        ),
                        name="credit_entries_kind_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "EXCESS"), _negated=True),
                            ("transfer__isnull", False),
                            _connector="OR",
                        ),
                        name="credit_entries_excess_check",
                    ),
                ],
            },
        ),
        RunSQLFile(
            __file__,
            models=[
                "billing.Refund",
                "billing.CreditEntry",
                "billing.CreditBalance",
                "billing.BankTransfer",
            ],
        ),
    ]
