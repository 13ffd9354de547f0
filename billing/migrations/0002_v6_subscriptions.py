"""The plan, V6: subscriptions and their history."""

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
        ("billing", "0001_v2_payment_orders"),
        ("branding", "0001_v5_branding_jobs"),
        ("kitehub", "0003_v3_instance_bank_accounts"),
    ]

    operations = [
        RunSQLFile(
            __file__,
            part="types",
            models=["billing.Subscription", "billing.SubscriptionHistory"],
        ),
        migrations.CreateModel(
            name="Subscription",
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
                        related_name="subscription",
                        to="kitehub.instance",
                        verbose_name="instance",
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
                ("monthly_price", models.BigIntegerField(verbose_name="price per month")),
                (
                    "status",
                    kitehub.db.fields.EnumField(
                        db_default="TRIAL", enum_type="subscription_status", verbose_name="status"
                    ),
                ),
                (
                    "current_period_start",
                    kitehub.db.fields.PlainTimestampField(verbose_name="period starts"),
                ),
                (
                    "current_period_end",
                    kitehub.db.fields.PlainTimestampField(
                        db_comment="When current billing period ends (renewal date)",
                        verbose_name="period ends",
                    ),
                ),
                (
                    "trial_end",
                    kitehub.db.fields.PlainTimestampField(
                        blank=True,
                        db_comment="Trial end date (14 days from trial_started_at)",
                        null=True,
                        verbose_name="trial ends",
                    ),
                ),
                (
                    "canceled_at",
                    kitehub.db.fields.PlainTimestampField(
                        blank=True, null=True, verbose_name="cancelled at"
                    ),
                ),
                (
                    "created_at",
                    kitehub.db.fields.PlainTimestampField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                (
                    "updated_at",
                    kitehub.db.fields.PlainTimestampField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="updated at",
                    ),
                ),
                (
                    "created_by",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=100,
                        null=True,
                        verbose_name="created by",
                    ),
                ),
                (
                    "updated_by",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=100,
                        null=True,
                        verbose_name="updated by",
                    ),
                ),
                (
                    "version",
                    models.BigIntegerField(db_default=0, editable=False, verbose_name="version"),
                ),
                (
                    "deleted",
                    models.BooleanField(db_default=False, editable=False, verbose_name="deleted"),
                ),
                (
                    "deleted_at",
                    kitehub.db.fields.PlainTimestampField(
                        blank=True, editable=False, null=True, verbose_name="deleted at"
                    ),
                ),
            ],
            options={
                "verbose_name": "subscription",
                "verbose_name_plural": "subscriptions",
                "db_table": "subscriptions",
                "db_table_comment": "Subscription lifecycle management",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["instance"], name="idx_subscriptions_instance"
                    ),
                    kitehub.db.indexes.Index(fields=["status"], name="idx_subscriptions_status"),
                    kitehub.db.indexes.Index(
                        fields=["current_period_end"], name="idx_subscriptions_period_end"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("tier__in", ["BASIC", "STANDARD", "PREMIUM"])),
                        name="subscriptions_tier_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("monthly_price__gt", 0)),
                        name="subscriptions_monthly_price_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubscriptionHistory",
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
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="history",
                        to="billing.subscription",
                        verbose_name="subscription",
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
                (
                    "status",
                    kitehub.db.fields.EnumField(
                        enum_type="subscription_status", verbose_name="status"
                    ),
                ),
                ("monthly_price", models.BigIntegerField(verbose_name="price per month")),
                (
                    "changed_at",
                    kitehub.db.fields.PlainTimestampField(
                        db_default=kitehub.db.functions.Now(), verbose_name="changed at"
                    ),
                ),
                (
                    "changed_by",
                    models.CharField(
                        blank=True, max_length=100, null=True, verbose_name="changed by"
                    ),
                ),
                (
                    "change_reason",
                    models.CharField(blank=True, max_length=500, null=True, verbose_name="reason"),
                ),
            ],
            options={
                "verbose_name": "subscription change",
                "verbose_name_plural": "subscription history",
                "db_table": "subscription_history",
                "db_table_comment": "Audit trail for subscription changes",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["subscription"], name="idx_subscription_history_subscription"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["-changed_at"], name="idx_subscription_history_changed"
                    ),
                ],
            },
        ),
        RunSQLFile(
            __file__,
            part="triggers",
            models=["billing.Subscription", "billing.SubscriptionHistory"],
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(
                    model_name="paymentorder",
                    name="idx_payment_orders_instance",
                ),
                migrations.RemoveField(
                    model_name="paymentorder",
                    name="instance_id",
                ),
                migrations.AddField(
                    model_name="paymentorder",
                    name="instance",
                    field=kitehub.db.fields.LooseForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="payment_orders",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
                migrations.AddIndex(
                    model_name="paymentorder",
                    index=kitehub.db.indexes.Index(
                        fields=["instance"], name="idx_payment_orders_instance"
                    ),
                ),
            ],
        ),
    ]
