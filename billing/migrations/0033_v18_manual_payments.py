"""V18: payments that one person enters by hand and another confirms."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0032_v18_staff_permissions"),
    ]

    operations = [
        migrations.AlterField(
            model_name="banktransfer",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("NO_CODE", "No order code in the memo"),
                    ("UNKNOWN_ORDER", "No order has this code"),
                    ("CANCELLED_ORDER", "The order is cancelled"),
                    ("CLOSED", "The school or its subscription is closed"),
                    ("WRONG_ACCOUNT", "The order is paid to another account"),
                    ("UNKNOWN_ACCOUNT", "Nobody is paid on this account"),
                    ("AMBIGUOUS", "Several orders, and the amount does not fit them"),
                    ("OVERPAID", "More than the order asks for"),
                    ("ALREADY_PAID", "The order is paid already"),
                    ("BY_HAND", "Perhaps the same money as a payment entered by hand"),
                    ("UNDONE", "Taken off its order again"),
                    ("OUTGOING", "Money sent, not received"),
                    ("TEST", "A test call of the provider"),
                ],
                max_length=30,
                null=True,
                verbose_name="why",
            ),
        ),
        migrations.CreateModel(
            name="ManualPayment",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("CASH", "Cash in hand"),
                            ("BANK", "A bank line that no feed told"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                (
                    "amount",
                    models.BigIntegerField(db_comment="Amount in VND", verbose_name="amount"),
                ),
                (
                    "received_at",
                    models.DateTimeField(
                        db_comment="The bank's time, or when the cash was handed over",
                        verbose_name="received at",
                    ),
                ),
                (
                    "account_number",
                    models.CharField(
                        blank=True,
                        db_comment="Of the order; none for cash",
                        max_length=50,
                        verbose_name="account number",
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        db_comment="The bank's, or the number of the paper",
                        max_length=100,
                        verbose_name="bank reference",
                    ),
                ),
                (
                    "reference_key",
                    models.CharField(
                        db_comment="The reference in upper case, its letters and digits alone",
                        editable=False,
                        max_length=400,
                        verbose_name="reference as compared",
                    ),
                ),
                ("memo", models.CharField(blank=True, max_length=300, verbose_name="memo")),
                ("payer_name", models.CharField(blank=True, max_length=200, verbose_name="from")),
                ("evidence", models.CharField(max_length=500, verbose_name="evidence")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("REQUESTED", "To be confirmed"),
                            ("CONFIRMED", "Confirmed"),
                            ("REJECTED", "Rejected"),
                        ],
                        db_default="REQUESTED",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                ("requested_by", models.CharField(max_length=100, verbose_name="entered by")),
                (
                    "requested_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="entered at"
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
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="manual_payments",
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
                        related_name="manual_payments",
                        to="billing.banktransfer",
                        verbose_name="bank transfer",
                    ),
                ),
            ],
            options={
                "verbose_name": "payment entered by hand",
                "verbose_name_plural": "payments entered by hand",
                "db_table": "manual_payments",
                "db_table_comment": "Payments entered by hand, each confirmed by a second person",
                "permissions": [
                    ("mark_paid", "Can enter payments by hand"),
                    ("approve_payment", "Can decide payments that others entered by hand"),
                ],
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["-requested_at", "-id"], name="idx_manual_payments_list"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["status", "-requested_at", "-id"],
                        name="idx_manual_payments_status",
                    ),
                    kitehub.db.indexes.Index(fields=["order"], name="idx_manual_payments_order"),
                    kitehub.db.indexes.Index(
                        fields=["reference"], name="idx_manual_payments_reference"
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("transfer__isnull", False)),
                        fields=["transfer"],
                        name="idx_manual_payments_transfer",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__range", (1, 9999999999999))),
                        name="manual_payments_amount_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["CASH", "BANK"])),
                        name="manual_payments_kind_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["REQUESTED", "CONFIRMED", "REJECTED"])),
                        name="manual_payments_status_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("evidence__gt", ""), ("reason__gt", ""), ("reference__gt", "")
                        ),
                        name="manual_payments_evidence_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reference_key__regex", "^[0-9A-Z]+$")),
                        name="manual_payments_reference_check",
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
                        name="manual_payments_decided_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            ("status", "REJECTED"),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="manual_payments_two_people_check",
                        violation_error_message="Who entered a payment can't confirm it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "CONFIRMED"), ("transfer__isnull", False)),
                            models.Q(
                                models.Q(("status", "CONFIRMED"), _negated=True),
                                ("transfer__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="manual_payments_transfer_check",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "REJECTED"), _negated=True),
                        fields=("account_number", "reference_key"),
                        name="manual_payments_reference_key",
                    ),
                ],
            },
        ),
        RunSQLFile(__file__, models=["billing.ManualPayment"]),
    ]
