"""V17: mail that is sent once, and a count of attempts to sign in."""

import uuid

import django.contrib.postgres.functions
import django.core.serializers.json
import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0016_v16_scoped_managers"),
        # All of V16, so that a step back from V17 takes nothing of it along.
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignInAttempts",
            fields=[
                (
                    "key",
                    models.CharField(
                        db_comment="SHA-256 of login and address",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                        verbose_name="key",
                    ),
                ),
                ("attempts", models.PositiveIntegerField(verbose_name="attempts")),
                ("since", models.DateTimeField(verbose_name="since")),
            ],
            options={
                "verbose_name": "sign-in attempts",
                "verbose_name_plural": "sign-in attempts",
                "db_table": "sign_in_attempts",
                "db_table_comment": "Attempts to sign in within the last minutes",
                "indexes": [
                    kitehub.db.indexes.Index(fields=["since"], name="idx_sign_in_attempts_since")
                ],
            },
        ),
        migrations.CreateModel(
            name="Email",
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
                ("recipient", models.CharField(max_length=254, verbose_name="recipient")),
                (
                    "reason",
                    models.CharField(
                        db_comment="What it is about, by which it is sent once: renewal:KH7Q2M4X9A:-3",
                        max_length=200,
                        verbose_name="reason",
                    ),
                ),
                ("template", models.CharField(max_length=100, verbose_name="template")),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                (
                    "context",
                    models.JSONField(
                        default=dict,
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        verbose_name="context",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("QUEUED", "Waiting"),
                            ("SENDING", "Being sent"),
                            ("SENT", "Sent"),
                            ("FAILED", "Failed"),
                        ],
                        db_default="QUEUED",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("attempts", models.PositiveIntegerField(db_default=0, verbose_name="attempts")),
                (
                    "error",
                    models.CharField(
                        blank=True, db_default="", max_length=500, verbose_name="error"
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        blank=True, db_default="", max_length=500, verbose_name="subject"
                    ),
                ),
                ("text_body", models.TextField(blank=True, db_default="", verbose_name="text")),
                (
                    "html_body",
                    models.TextField(blank=True, db_default="", verbose_name="HTML text"),
                ),
                (
                    "queued_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="queued at"
                    ),
                ),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent at")),
                (
                    "instance",
                    kitehub.db.fields.LooseForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="emails",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
            ],
            options={
                "verbose_name": "e-mail",
                "verbose_name_plural": "e-mails",
                "db_table": "emails",
                "db_table_comment": "Mail to people, at most one a reason and recipient",
                "indexes": [
                    kitehub.db.indexes.Index(fields=["-queued_at"], name="idx_emails_queued"),
                    kitehub.db.indexes.Index(fields=["instance"], name="idx_emails_instance"),
                    kitehub.db.indexes.Index(fields=["recipient"], name="idx_emails_recipient"),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("state", "SENT"), _negated=True),
                        fields=["queued_at"],
                        name="idx_emails_unsent",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("reason", "recipient"), name="emails_reason_recipient_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["QUEUED", "SENDING", "SENT", "FAILED"])),
                        name="emails_state_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("state", "SENT")),
                            models.Q(
                                models.Q(("state", "SENT"), _negated=True),
                                ("sent_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="emails_sent_at_check",
                    ),
                ],
            },
        ),
    ]
