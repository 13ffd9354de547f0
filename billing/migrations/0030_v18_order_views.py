"""V18: when the QR codes of orders were shown, and who may read what the bank sent."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.fields


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0029_v18_subscription_lists"),
        ("kitehub", "0018_v17_language"),
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="bankfeed",
            options={
                "permissions": [("view_raw_body", "Can view what the bank sent as it came")],
                "verbose_name": "bank feed",
                "verbose_name_plural": "bank feeds",
            },
        ),
        migrations.CreateModel(
            name="OrderView",
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
                    "channel",
                    models.CharField(
                        choices=[
                            ("PORTAL", "The school's portal"),
                            ("API", "The school's own program"),
                            ("LINK", "An image in a mail or on another site"),
                        ],
                        max_length=10,
                        verbose_name="shown in",
                    ),
                ),
                ("first_at", models.DateTimeField(verbose_name="first shown at")),
                ("last_at", models.DateTimeField(verbose_name="last shown at")),
                (
                    "times",
                    models.BigIntegerField(
                        db_comment="Those within a minute are one",
                        db_default=1,
                        verbose_name="times shown",
                    ),
                ),
                (
                    "order",
                    kitehub.db.fields.LooseForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="views",
                        to="billing.paymentorder",
                        verbose_name="payment order",
                    ),
                ),
            ],
            options={
                "verbose_name": "showing of a QR code",
                "verbose_name_plural": "showings of QR codes",
                "db_table": "order_views",
                "db_table_comment": "When and where the QR codes of orders were shown",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("order", "channel"), name="order_views_order_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("channel__in", ["PORTAL", "API", "LINK"]),
                            ("times__gte", 1),
                            ("last_at__gte", models.F("first_at")),
                        ),
                        name="order_views_times_check",
                    ),
                ],
            },
        ),
    ]
