"""V18: who came in and from where, what became of passwords and powers, and one-time codes."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes
import kitehub.db.secrets
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("kitehub", "0020_v18_notes"),
        # All of V17, so that a step back from V18 takes nothing of it along.
        ("billing", "0022_v17_closed_schools"),
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="asks_for_code",
            field=models.BooleanField(
                db_comment="Whether a second factor is in force, known without looking it up",
                db_default=False,
                default=False,
                editable=False,
                verbose_name="signs in with a code",
            ),
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="second_factor",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "secret",
                    kitehub.db.secrets.EncryptedField(max_length=255, verbose_name="secret"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="created at"
                    ),
                ),
                (
                    "confirmed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="in force since"),
                ),
                (
                    "last_step",
                    models.BigIntegerField(
                        db_comment="The step of 30 seconds whose code was used last; none up to it is good again",
                        db_default=0,
                        default=0,
                        verbose_name="last step",
                    ),
                ),
                (
                    "backup_codes",
                    models.JSONField(
                        db_comment="SHA-256 of the codes that are not used yet, in hexadecimal",
                        db_default=[],
                        default=list,
                        verbose_name="backup codes",
                    ),
                ),
            ],
            options={
                "verbose_name": "second factor",
                "verbose_name_plural": "second factors",
                "db_table": "second_factors",
                "db_table_comment": "Secrets of the one-time codes that some people sign in with",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["-created_at", "-user"], name="idx_second_factors_made"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SecurityEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="when"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("SIGNED_IN", "Signed in"),
                            ("CODE_ASKED", "Password right, code asked for"),
                            ("SIGN_IN_FAILED", "Wrong password or address"),
                            ("CODE_REFUSED", "Wrong code"),
                            ("THROTTLED", "Too many attempts"),
                            ("SIGNED_OUT", "Signed out"),
                            ("SESSION_ENDED", "Session ended"),
                            ("PASSWORD_CHANGED", "Password changed"),
                            ("EMAIL_CHANGED", "E-mail address changed"),
                            ("POWERS_CHANGED", "Powers changed"),
                            ("GROUP_CHANGED", "Permissions of a group changed"),
                            ("FACTOR_ON", "Codes turned on"),
                            ("FACTOR_OFF", "Codes turned off"),
                            ("FACTOR_RESET", "Codes reset by a superuser"),
                            ("BACKUP_CODE_USED", "Backup code used"),
                            ("BACKUP_CODES_MADE", "New backup codes"),
                        ],
                        max_length=30,
                        verbose_name="what",
                    ),
                ),
                (
                    "login",
                    models.CharField(
                        blank=True,
                        db_comment="As it was at the time; of failed attempts, what was typed",
                        db_default="",
                        max_length=254,
                        verbose_name="e-mail address",
                    ),
                ),
                (
                    "actor",
                    models.CharField(blank=True, db_default="", max_length=100, verbose_name="who"),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True, db_default="", max_length=500, verbose_name="reason"
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        blank=True, db_default="", max_length=50, verbose_name="IP address"
                    ),
                ),
                (
                    "browser",
                    models.CharField(
                        blank=True, db_default="", max_length=100, verbose_name="browser"
                    ),
                ),
                (
                    "details",
                    models.JSONField(
                        blank=True, db_default={}, default=dict, verbose_name="details"
                    ),
                ),
                (
                    "user",
                    kitehub.db.fields.LooseForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="security_events",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="whose account",
                    ),
                ),
            ],
            options={
                "verbose_name": "security event",
                "verbose_name_plural": "security log",
                "db_table": "security_events",
                "db_table_comment": "Sign-ins, changes of passwords, addresses and powers: append-only",
                "indexes": [
                    kitehub.db.indexes.Index(fields=["-at", "-id"], name="idx_security_events_at"),
                    kitehub.db.indexes.Index(
                        fields=["user", "-at", "-id"], name="idx_security_events_user"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["login", "-at", "-id"], name="idx_security_events_login"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["address", "-at", "-id"], name="idx_security_events_address"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["kind", "-at", "-id"], name="idx_security_events_kind"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "SIGNED_IN",
                                    "CODE_ASKED",
                                    "SIGN_IN_FAILED",
                                    "CODE_REFUSED",
                                    "THROTTLED",
                                    "SIGNED_OUT",
                                    "SESSION_ENDED",
                                    "PASSWORD_CHANGED",
                                    "EMAIL_CHANGED",
                                    "POWERS_CHANGED",
                                    "GROUP_CHANGED",
                                    "FACTOR_ON",
                                    "FACTOR_OFF",
                                    "FACTOR_RESET",
                                    "BACKUP_CODE_USED",
                                    "BACKUP_CODES_MADE",
                                ],
                            )
                        ),
                        name="security_events_kind_check",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SignedInSession",
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
                    "key_digest",
                    models.CharField(
                        db_comment="SHA-256 in hexadecimal: the key itself would sign in whoever reads it",
                        editable=False,
                        max_length=64,
                        verbose_name="digest of the session key",
                    ),
                ),
                (
                    "since",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="since"
                    ),
                ),
                (
                    "last_seen",
                    models.DateTimeField(
                        db_comment="To some minutes: not written at each request",
                        db_default=kitehub.db.functions.Now(),
                        verbose_name="last seen",
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        blank=True, db_default="", max_length=50, verbose_name="IP address"
                    ),
                ),
                (
                    "browser",
                    models.CharField(
                        blank=True, db_default="", max_length=100, verbose_name="browser"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="signed_in_sessions",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "open session",
                "verbose_name_plural": "open sessions",
                "db_table": "signed_in_sessions",
                "db_table_comment": "Browsers in which somebody is signed in",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["user", "-last_seen"], name="idx_signed_in_sessions_user"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["-last_seen", "-id"], name="idx_signed_in_sessions_seen"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("key_digest",), name="signed_in_sessions_key_digest_key"
                    )
                ],
            },
        ),
        RunSQLFile(
            __file__,
            models=["kitehub.SecurityEvent", "kitehub.User"],
        ),
    ]
