"""V17: what an order agreed on, and what has come of it."""

import django.contrib.postgres.operations
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import kitehub.db.fields


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0010_v12_subscription_history"),
        ("kitehub", "0016_v16_scoped_managers"),
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="paymentorder",
            name="purpose",
            field=models.CharField(
                blank=True,
                choices=[
                    ("PERIOD", "Months of a tier"),
                    ("UPGRADE", "A higher tier for what is paid already"),
                ],
                max_length=20,
                null=True,
                verbose_name="buys",
            ),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="months",
            field=models.SmallIntegerField(blank=True, null=True, verbose_name="months"),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="monthly_price",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="price per month"),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="subject",
            field=models.CharField(
                blank=True,
                db_comment="What it is for: an instance has one open order for each",
                max_length=300,
                null=True,
                verbose_name="for",
            ),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="course_id",
            field=models.CharField(blank=True, max_length=100, null=True, verbose_name="course"),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="student_name",
            field=models.CharField(blank=True, max_length=200, null=True, verbose_name="student"),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="client_reference",
            field=models.CharField(
                blank=True,
                db_comment="The instance's own key: asking twice with it opens one order",
                max_length=100,
                null=True,
                verbose_name="the program's reference",
            ),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="memo",
            field=models.CharField(
                blank=True,
                db_comment="At most 25",
                max_length=25,
                null=True,
                verbose_name="memo in the QR code",
            ),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="bank_bin",
            field=models.CharField(blank=True, max_length=6, null=True, verbose_name="bank (BIN)"),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="account_number",
            field=models.CharField(
                blank=True, max_length=19, null=True, verbose_name="account number"
            ),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="account_name",
            field=models.CharField(
                blank=True, max_length=200, null=True, verbose_name="account holder"
            ),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="credit_offered",
            field=models.BigIntegerField(
                db_comment="VND of the instance's credit that the QR's amount leaves out",
                db_default=0,
                verbose_name="credit to be used",
            ),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="paid_amount",
            field=models.BigIntegerField(
                db_comment="Kept by payment_allocations",
                db_default=0,
                editable=False,
                verbose_name="paid so far",
            ),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="refunded_amount",
            field=models.BigIntegerField(
                db_comment="Kept by payment_allocations",
                db_default=0,
                editable=False,
                verbose_name="paid back",
            ),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="superseded_by",
            field=kitehub.db.fields.LooseForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="supersedes",
                to="billing.paymentorder",
                verbose_name="superseded by",
            ),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="cancelled_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="cancelled at"),
        ),
        migrations.AddField(
            model_name="paymentorder",
            name="cancel_reason",
            field=models.CharField(
                blank=True, max_length=500, null=True, verbose_name="why cancelled"
            ),
        ),
        django.contrib.postgres.operations.AddConstraintNotValid(
            model_name="paymentorder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("paid_amount__gte", 0),
                    ("refunded_amount__gte", 0),
                    ("credit_offered__gte", 0),
                    (
                        "amount__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("paid_amount"), "+", models.F("refunded_amount")
                        ),
                    ),
                ),
                name="payment_orders_paid_amount_check",
            ),
        ),
        django.contrib.postgres.operations.AddConstraintNotValid(
            model_name="paymentorder",
            constraint=models.CheckConstraint(
                condition=models.Q(("purpose__in", ["PERIOD", "UPGRADE"])),
                name="payment_orders_purpose_check",
            ),
        ),
        django.contrib.postgres.operations.AddConstraintNotValid(
            model_name="paymentorder",
            constraint=models.CheckConstraint(
                condition=models.Q(("months__range", (1, 36))), name="payment_orders_months_check"
            ),
        ),
    ]
