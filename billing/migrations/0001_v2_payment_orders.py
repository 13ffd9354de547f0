"""The plan, V2: payment orders.

`instances` comes with V3, so the reference to it is a bare id here; V6 tells the ORM what it refers
to, without touching the column.
"""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("kitehub", "0002_v1_instance_configs"),
    ]

    operations = [
        RunSQLFile(
            __file__,
            part="types",
            models=["billing.PaymentOrder"],
        ),
        migrations.CreateModel(
            name="PaymentOrder",
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
                ("order_id", models.CharField(max_length=50, verbose_name="order code")),
                (
                    "type",
                    kitehub.db.fields.EnumField(
                        db_comment="SUBSCRIPTION (KiteHub) or ENROLLMENT (Instance)",
                        enum_type="payment_type",
                        verbose_name="type",
                    ),
                ),
                (
                    "user",
                    kitehub.db.fields.LooseForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="payment_orders",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("instance_id", models.UUIDField(blank=True, null=True, verbose_name="instance")),
                (
                    "amount",
                    models.BigIntegerField(db_comment="Amount in VND", verbose_name="amount"),
                ),
                (
                    "tier",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("BASIC", "Basic"),
                            ("STANDARD", "Standard"),
                            ("PREMIUM", "Premium"),
                        ],
                        max_length=20,
                        null=True,
                        verbose_name="tier",
                    ),
                ),
                (
                    "status",
                    kitehub.db.fields.EnumField(
                        db_default="PENDING", enum_type="payment_status", verbose_name="status"
                    ),
                ),
                (
                    "qr_image_url",
                    models.CharField(
                        blank=True, max_length=500, null=True, verbose_name="QR image"
                    ),
                ),
                (
                    "payment_content",
                    models.CharField(
                        db_comment="VietQR content: KITEHUB {orderId} {email}",
                        max_length=200,
                        verbose_name="transfer memo",
                    ),
                ),
                (
                    "transaction_reference",
                    models.CharField(
                        blank=True, max_length=100, null=True, verbose_name="bank reference"
                    ),
                ),
                (
                    "paid_at",
                    kitehub.db.fields.PlainTimestampField(
                        blank=True, null=True, verbose_name="paid at"
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
                    "expires_at",
                    kitehub.db.fields.PlainTimestampField(
                        db_comment="24-hour expiry for payment", verbose_name="expires at"
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
                "verbose_name": "payment order",
                "verbose_name_plural": "payment orders",
                "db_table": "payment_orders",
                "db_table_comment": "VietQR payment orders",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["order_id"], name="idx_payment_orders_order_id"
                    ),
                    kitehub.db.indexes.Index(fields=["user"], name="idx_payment_orders_user"),
                    kitehub.db.indexes.Index(
                        fields=["instance_id"], name="idx_payment_orders_instance"
                    ),
                    kitehub.db.indexes.Index(fields=["status"], name="idx_payment_orders_status"),
                    kitehub.db.indexes.Index(
                        fields=["-created_at"], name="idx_payment_orders_created"
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("status", "PENDING")),
                        fields=["expires_at"],
                        name="idx_payment_orders_expires",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("order_id",), name="payment_orders_order_id_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="payment_orders_amount_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tier__in", ["BASIC", "STANDARD", "PREMIUM"])),
                        name="payment_orders_tier_check",
                    ),
                ],
            },
        ),
        RunSQLFile(
            __file__,
            part="triggers",
            models=["billing.PaymentOrder"],
        ),
    ]
