"""V18: credit and days that one person proposes for a school and another approves."""

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
        ("billing", "0036_v18_lists_of_schools"),
        ("kitehub", "0025_v18_lists_of_schools"),
    ]

    operations = [
        migrations.CreateModel(
            name="Goodwill",
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
                        choices=[("CREDIT", "Credit"), ("EXTENSION", "Days of use")],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                (
                    "amount",
                    models.BigIntegerField(
                        db_comment="Amount in VND; of days, what they were worth when proposed",
                        verbose_name="amount",
                    ),
                ),
                (
                    "days",
                    models.SmallIntegerField(
                        blank=True, db_comment="None for credit", null=True, verbose_name="days"
                    ),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PROPOSED", "To be approved"),
                            ("APPROVED", "Approved"),
                            ("DECLINED", "Declined"),
                            ("WITHDRAWN", "Withdrawn"),
                            ("GIVEN", "Given by one person alone"),
                        ],
                        db_default="PROPOSED",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                ("proposed_by", models.CharField(max_length=100, verbose_name="proposed by")),
                (
                    "proposed_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="proposed at"
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
                    "instance",
                    kitehub.db.fields.LooseForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="goodwill",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
            ],
            options={
                "verbose_name": "goodwill",
                "verbose_name_plural": "goodwill",
                "db_table": "goodwill_grants",
                "db_table_comment": "Credit and days for nothing, each approved by a second person",
                "permissions": [("approve_goodwill", "Can decide goodwill that others proposed")],
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["-proposed_at", "-id"], name="idx_goodwill_grants_list"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["status", "-proposed_at", "-id"], name="idx_goodwill_grants_status"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["instance", "-proposed_at"], name="idx_goodwill_grants_instance"
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("status", "GIVEN")),
                        fields=["proposed_by", "proposed_at"],
                        name="idx_goodwill_grants_alone",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__range", (1, 9999999999999))),
                        name="goodwill_grants_amount_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("days__isnull", True), ("kind", "CREDIT")),
                            models.Q(
                                ("days__isnull", False),
                                ("days__range", (1, 3660)),
                                ("kind", "EXTENSION"),
                            ),
                            _connector="OR",
                        ),
                        name="goodwill_grants_kind_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                ["PROPOSED", "APPROVED", "DECLINED", "WITHDRAWN", "GIVEN"],
                            )
                        ),
                        name="goodwill_grants_status_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason__gt", "")), name="goodwill_grants_reason_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status__in", ["PROPOSED", "GIVEN"]),
                                ("decided_at__isnull", True),
                                ("decided_by__isnull", True),
                            ),
                            models.Q(
                                models.Q(("status__in", ["PROPOSED", "GIVEN"]), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="goodwill_grants_decided_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(
                                ("decided_by", models.F("proposed_by")), ("status", "WITHDRAWN")
                            ),
                            models.Q(
                                models.Q(("status", "WITHDRAWN"), _negated=True),
                                models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="goodwill_grants_two_people_check",
                        violation_error_message="Who proposed goodwill can't approve it.",
                    ),
                ],
            },
        ),
        RunSQLFile(__file__, models=["billing.Goodwill"]),
    ]
