"""V17: what banks say happened, and who told of it."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0014_v17_open_orders"),
    ]

    operations = [
        migrations.CreateModel(
            name="BankTransfer",
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
                    "provider",
                    models.CharField(
                        choices=[
                            ("SEPAY", "SePay"),
                            ("PAYOS", "payOS"),
                            ("CASSO", "Casso"),
                            ("STATEMENT", "Bank statement"),
                            ("MANUAL", "Entered by hand"),
                        ],
                        max_length=20,
                        verbose_name="told by",
                    ),
                ),
                (
                    "provider_id",
                    models.CharField(
                        db_comment="Unique per provider and account",
                        max_length=200,
                        verbose_name="the provider's id",
                    ),
                ),
                ("account_number", models.CharField(max_length=50, verbose_name="account number")),
                (
                    "virtual_account",
                    models.CharField(blank=True, max_length=50, verbose_name="virtual account"),
                ),
                (
                    "bank",
                    models.CharField(
                        blank=True,
                        db_comment="As told: BIN or name",
                        max_length=100,
                        verbose_name="bank",
                    ),
                ),
                (
                    "instance",
                    kitehub.db.fields.LooseForeignKey(
                        blank=True,
                        db_comment="Whose account it is; none for KiteHub's own",
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="bank_transfers",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
                (
                    "direction",
                    models.CharField(
                        choices=[("IN", "Received"), ("OUT", "Sent")],
                        db_default="IN",
                        max_length=3,
                        verbose_name="direction",
                    ),
                ),
                (
                    "amount",
                    models.BigIntegerField(db_comment="Amount in VND", verbose_name="amount"),
                ),
                ("memo", models.TextField(blank=True, verbose_name="memo")),
                (
                    "details",
                    models.TextField(
                        blank=True,
                        db_comment="Further fields that may hold an order code",
                        verbose_name="other texts",
                    ),
                ),
                (
                    "counterparty_name",
                    models.CharField(blank=True, max_length=200, verbose_name="from"),
                ),
                (
                    "counterparty_account",
                    models.CharField(blank=True, max_length=50, verbose_name="from account"),
                ),
                (
                    "counterparty_bank",
                    models.CharField(blank=True, max_length=100, verbose_name="from bank"),
                ),
                (
                    "reference",
                    models.CharField(blank=True, max_length=100, verbose_name="bank reference"),
                ),
                (
                    "balance_after",
                    models.BigIntegerField(blank=True, null=True, verbose_name="balance after"),
                ),
                (
                    "transferred_at",
                    models.DateTimeField(
                        db_comment="The bank's time, by which periods begin",
                        verbose_name="transferred at",
                    ),
                ),
                (
                    "received_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="told at"
                    ),
                ),
                ("raw", models.JSONField(db_default={}, default=dict, verbose_name="as told")),
                ("raw_body", models.TextField(blank=True, verbose_name="the whole message")),
                (
                    "statement_key",
                    models.CharField(
                        blank=True,
                        db_comment="The statement's line that says the same, once there is one",
                        max_length=200,
                        null=True,
                        verbose_name="line of a statement",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("RECEIVED", "Received, not yet settled"),
                            ("MATCHED", "Settled"),
                            ("UNMATCHED", "Waits for a person"),
                            ("IGNORED", "Not a payment"),
                            ("DUPLICATE", "Told twice"),
                            ("DISCARDED", "Discarded"),
                        ],
                        db_default="RECEIVED",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("NO_CODE", "No order code in the memo"),
                            ("UNKNOWN_ORDER", "No order has this code"),
                            ("CANCELLED_ORDER", "The order is cancelled"),
                            ("WRONG_ACCOUNT", "The order is paid to another account"),
                            ("UNKNOWN_ACCOUNT", "Nobody is paid on this account"),
                            ("AMBIGUOUS", "Several orders, and the amount does not fit them"),
                            ("OVERPAID", "More than the order asks for"),
                            ("ALREADY_PAID", "The order is paid already"),
                            ("UNDONE", "Taken off its order again"),
                            ("OUTGOING", "Money sent, not received"),
                            ("TEST", "A test call of the provider"),
                        ],
                        max_length=30,
                        null=True,
                        verbose_name="why",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="note")),
                (
                    "duplicate_of",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="duplicates",
                        to="billing.banktransfer",
                        verbose_name="same as",
                    ),
                ),
                (
                    "settled_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="settled at"),
                ),
                (
                    "allocated_amount",
                    models.BigIntegerField(db_default=0, editable=False, verbose_name="for orders"),
                ),
                (
                    "credited_amount",
                    models.BigIntegerField(
                        db_default=0, editable=False, verbose_name="kept as credit"
                    ),
                ),
                (
                    "refunded_amount",
                    models.BigIntegerField(db_default=0, editable=False, verbose_name="paid back"),
                ),
            ],
            options={
                "verbose_name": "bank transfer",
                "verbose_name_plural": "bank transfers",
                "db_table": "bank_transfers",
                "db_table_comment": "Bank lines as told by providers and statements; never changed",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["-received_at", "-id"], name="idx_bank_transfers_received"
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("state__in", ["RECEIVED", "UNMATCHED"])),
                        fields=["state", "received_at"],
                        name="idx_bank_transfers_waiting",
                    ),
                    kitehub.db.indexes.Index(
                        fields=["account_number", "amount", "transferred_at"],
                        name="idx_bank_transfers_account",
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("reference", ""), _negated=True),
                        fields=["reference"],
                        name="idx_bank_transfers_reference",
                    ),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("instance__isnull", False)),
                        fields=["instance", "-transferred_at"],
                        name="idx_bank_transfers_instance",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("provider", "account_number", "provider_id"),
                        name="bank_transfers_provider_key",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("statement_key__isnull", False)),
                        fields=("account_number", "statement_key"),
                        name="bank_transfers_statement_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("provider__in", ["SEPAY", "PAYOS", "CASSO", "STATEMENT", "MANUAL"])
                        ),
                        name="bank_transfers_provider_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("direction__in", ["IN", "OUT"])),
                        name="bank_transfers_direction_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "RECEIVED",
                                    "MATCHED",
                                    "UNMATCHED",
                                    "IGNORED",
                                    "DUPLICATE",
                                    "DISCARDED",
                                ],
                            )
                        ),
                        name="bank_transfers_state_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__range", (1, 9999999999999))),
                        name="bank_transfers_amount_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("allocated_amount__gte", 0),
                            ("credited_amount__gte", 0),
                            ("refunded_amount__gte", 0),
                            (
                                "amount__gte",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("allocated_amount"),
                                        "+",
                                        models.F("credited_amount"),
                                    ),
                                    "+",
                                    models.F("refunded_amount"),
                                ),
                            ),
                        ),
                        name="bank_transfers_totals_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("direction", "IN"),
                                models.Q(("state__in", ["IGNORED", "DUPLICATE"]), _negated=True),
                            ),
                            models.Q(
                                ("allocated_amount", 0),
                                ("credited_amount", 0),
                                ("refunded_amount", 0),
                            ),
                            _connector="OR",
                        ),
                        name="bank_transfers_spendable_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("duplicate_of__isnull", False), ("state", "DUPLICATE")),
                            models.Q(
                                models.Q(("state", "DUPLICATE"), _negated=True),
                                ("duplicate_of__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="bank_transfers_duplicate_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BankFeed",
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
                    "provider",
                    models.CharField(
                        choices=[
                            ("SEPAY", "SePay"),
                            ("PAYOS", "payOS"),
                            ("CASSO", "Casso"),
                            ("STATEMENT", "Bank statement"),
                            ("MANUAL", "Entered by hand"),
                        ],
                        max_length=20,
                        verbose_name="provider",
                    ),
                ),
                (
                    "account_number",
                    models.CharField(blank=True, max_length=50, verbose_name="account number"),
                ),
                (
                    "first_seen_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="first heard of"),
                ),
                (
                    "last_seen_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="last heard of"),
                ),
                ("received", models.BigIntegerField(db_default=0, verbose_name="messages")),
                ("refused", models.BigIntegerField(db_default=0, verbose_name="refused messages")),
                (
                    "refused_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="last refused at"),
                ),
                (
                    "refused_reason",
                    models.CharField(
                        blank=True, max_length=100, verbose_name="last refused because"
                    ),
                ),
            ],
            options={
                "verbose_name": "bank feed",
                "verbose_name_plural": "bank feeds",
                "db_table": "bank_feeds",
                "db_table_comment": "Accounts at providers, and when they were last heard of",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("provider", "account_number"), name="bank_feeds_account_key"
                    )
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="FeedSilence",
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
                    "feed",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="silences",
                        to="billing.bankfeed",
                        verbose_name="feed",
                    ),
                ),
                ("starts_at", models.DateTimeField(verbose_name="since")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="until")),
            ],
            options={
                "verbose_name": "silence of a bank feed",
                "verbose_name_plural": "silences of bank feeds",
                "db_table": "bank_feed_silences",
                "db_table_comment": "Times in which a bank feed said nothing",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["feed", "starts_at"], name="idx_bank_feed_silences_feed"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ends_at__isnull", True)),
                        fields=("feed",),
                        name="bank_feed_silences_open_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__isnull", True),
                            ("ends_at__gt", models.F("starts_at")),
                            _connector="OR",
                        ),
                        name="bank_feed_silences_ends_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StatementMapping",
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
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("mapping", models.JSONField(verbose_name="columns")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                (
                    "created_by",
                    models.CharField(
                        blank=True, editable=False, max_length=100, verbose_name="created by"
                    ),
                ),
            ],
            options={
                "verbose_name": "statement format",
                "verbose_name_plural": "statement formats",
                "db_table": "statement_mappings",
                "db_table_comment": "Columns of banks' statements",
                "constraints": [
                    models.UniqueConstraint(fields=("name",), name="statement_mappings_name_key")
                ],
                "indexes": [],
            },
        ),
        RunSQLFile(__file__, models=["billing.BankTransfer"]),
    ]
