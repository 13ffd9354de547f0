"""V18: what a person has said a bank line is for, for a moment before it is booked."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0033_v18_manual_payments"),
    ]

    operations = [
        migrations.CreateModel(
            name="PlannedMatch",
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
                    "amount",
                    models.BigIntegerField(db_comment="Amount in VND", verbose_name="amount"),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("PLANNED", "To be booked"),
                            ("BOOKED", "Booked"),
                            ("TAKEN_BACK", "Taken back"),
                            ("FAILED", "Could not be booked"),
                        ],
                        db_default="PLANNED",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                (
                    "failure",
                    models.CharField(blank=True, max_length=500, verbose_name="why not booked"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="created at"
                    ),
                ),
                ("created_by", models.CharField(max_length=100, verbose_name="created by")),
                ("due_at", models.DateTimeField(verbose_name="booked from")),
                (
                    "concluded_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="concluded at"),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="planned_matches",
                        to="billing.paymentorder",
                        verbose_name="payment order",
                    ),
                ),
                (
                    "transfer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="planned_matches",
                        to="billing.banktransfer",
                        verbose_name="bank transfer",
                    ),
                ),
            ],
            options={
                "verbose_name": "planned assignment",
                "verbose_name_plural": "planned assignments",
                "db_table": "planned_matches",
                "db_table_comment": "Bank lines assigned by a person, for a moment still to be taken back",
                "indexes": [
                    kitehub.db.indexes.Index(
                        condition=models.Q(("state", "PLANNED")),
                        fields=["due_at"],
                        name="idx_planned_matches_due",
                    ),
                    kitehub.db.indexes.Index(
                        fields=["transfer", "-created_at"], name="idx_planned_matches_transfer"
                    ),
                    kitehub.db.indexes.Index(fields=["order"], name="idx_planned_matches_order"),
                    kitehub.db.indexes.Index(
                        fields=["-created_at", "-id"], name="idx_planned_matches_list"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["state", "-created_at", "-id"], name="idx_planned_matches_state"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="planned_matches_amount_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["PLANNED", "BOOKED", "TAKEN_BACK", "FAILED"])
                        ),
                        name="planned_matches_state_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("concluded_at__isnull", True), ("state", "PLANNED")),
                            models.Q(
                                models.Q(("state", "PLANNED"), _negated=True),
                                ("concluded_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="planned_matches_concluded_check",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "PLANNED")),
                        fields=("transfer",),
                        name="planned_matches_open_key",
                    ),
                ],
            },
        ),
        RunSQLFile(__file__, models=["billing.PlannedMatch"]),
    ]
