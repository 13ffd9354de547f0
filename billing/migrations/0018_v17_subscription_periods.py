"""V17: the time of subscriptions, period by period, and what staff changed in it."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0017_v17_payment_allocations"),
    ]

    operations = [
        migrations.CreateModel(
            name="SubscriptionAdjustment",
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
                    "subscription",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="billing.subscription",
                        verbose_name="subscription",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("EXTENSION", "Extension"), ("PAUSE", "Pause")],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("days", models.SmallIntegerField(blank=True, null=True, verbose_name="days")),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="created at"
                    ),
                ),
                ("created_by", models.CharField(max_length=100, verbose_name="created by")),
                (
                    "voided_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="voided at"),
                ),
                (
                    "voided_by",
                    models.CharField(
                        blank=True, max_length=100, null=True, verbose_name="voided by"
                    ),
                ),
            ],
            options={
                "verbose_name": "subscription adjustment",
                "verbose_name_plural": "subscription adjustments",
                "db_table": "subscription_adjustments",
                "db_table_comment": "Extensions and pauses of subscriptions by staff",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["subscription", "starts_at"],
                        name="idx_subscription_adjustments_subscription",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("days__range", (1, 3660)),
                                ("ends_at__isnull", True),
                                ("kind", "EXTENSION"),
                            ),
                            models.Q(
                                ("days__isnull", True),
                                ("kind", "PAUSE"),
                                models.Q(
                                    ("ends_at__isnull", True),
                                    ("ends_at__gt", models.F("starts_at")),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="subscription_adjustments_kind_check",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("ends_at__isnull", True),
                            ("kind", "PAUSE"),
                            ("voided_at__isnull", True),
                        ),
                        fields=("subscription",),
                        name="subscription_adjustments_open_pause_key",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubscriptionPeriod",
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
                    "subscription",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="periods",
                        to="billing.subscription",
                        verbose_name="subscription",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("TRIAL", "Trial"),
                            ("CARRIED", "Agreed before KiteHub kept periods"),
                            ("PAID", "Paid"),
                            ("UPGRADE", "Paid, with the higher tier"),
                            ("EXTENSION", "Given by staff"),
                            ("RESUMED", "The rest after a pause"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("BASIC", "Basic"),
                            ("STANDARD", "Standard"),
                            ("PREMIUM", "Premium"),
                        ],
                        max_length=20,
                        verbose_name="tier",
                    ),
                ),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(verbose_name="until")),
                (
                    "order",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="periods",
                        to="billing.paymentorder",
                        verbose_name="payment order",
                    ),
                ),
                (
                    "adjustment",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="periods",
                        to="billing.subscriptionadjustment",
                        verbose_name="adjustment",
                    ),
                ),
                (
                    "gap_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("LAPSED", "Nothing was paid for this time"),
                            ("PAUSED", "Paused"),
                        ],
                        max_length=20,
                        null=True,
                        verbose_name="why not from the end of the one before",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="created at"
                    ),
                ),
                (
                    "created_by",
                    models.CharField(blank=True, max_length=100, verbose_name="created by"),
                ),
                (
                    "voided_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="voided at"),
                ),
                (
                    "voided_by",
                    models.CharField(
                        blank=True, max_length=100, null=True, verbose_name="voided by"
                    ),
                ),
                (
                    "void_reason",
                    models.CharField(
                        blank=True, max_length=500, null=True, verbose_name="why voided"
                    ),
                ),
            ],
            options={
                "verbose_name": "subscription period",
                "verbose_name_plural": "subscription periods",
                "db_table": "subscription_periods",
                "db_table_comment": "The time of subscriptions, and what it was paid by",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["subscription", "starts_at"],
                        name="idx_subscription_periods_subscription",
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("voided_at__isnull", True)),
                        fields=["starts_at"],
                        name="idx_subscription_periods_starts",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="subscription_periods_ends_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tier__in", ["BASIC", "STANDARD", "PREMIUM"])),
                        name="subscription_periods_tier_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind__in", ["PAID", "UPGRADE"]), ("order__isnull", False)),
                            models.Q(
                                ("adjustment__isnull", True),
                                ("kind__in", ["TRIAL", "CARRIED"]),
                                ("order__isnull", True),
                            ),
                            models.Q(
                                ("adjustment__isnull", False),
                                ("kind__in", ["EXTENSION", "RESUMED"]),
                                ("order__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="subscription_periods_kind_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("voided_at__isnull", True), ("voided_by__isnull", True)),
                            models.Q(("voided_at__isnull", False), ("voided_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="subscription_periods_voided_check",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("order__isnull", False), ("voided_at__isnull", True)),
                        fields=("order",),
                        name="subscription_periods_order_key",
                    ),
                ],
            },
        ),
        RunSQLFile(
            __file__, models=["billing.SubscriptionPeriod", "billing.SubscriptionAdjustment"]
        ),
    ]
