"""V13: instances have API keys, of which the database keeps a digest and guards the life."""

import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.functions
import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile

SCOPES = [
    ("entitlements:read", "Read what the instance may do"),
    ("orders:read", "Read payment orders"),
    ("orders:write", "Open and cancel payment orders"),
    ("events:write", "Record what guests do"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0012_v11_find_users_by_name"),
        # All of V12, so that a step back from V13 takes nothing of it along.
        ("billing", "0010_v12_subscription_history"),
        ("storage", "0007_v12_ledger_under_any_path"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
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
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_keys",
                        to="kitehub.instance",
                        verbose_name="instance",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="Who or what uses the key.", max_length=100, verbose_name="name"
                    ),
                ),
                (
                    "prefix",
                    models.CharField(editable=False, max_length=10, verbose_name="prefix"),
                ),
                (
                    "secret_hash",
                    models.CharField(
                        db_comment="SHA-256 of the secret, in hexadecimal",
                        editable=False,
                        max_length=64,
                        verbose_name="digest",
                    ),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(choices=SCOPES, max_length=50),
                        size=None,
                        verbose_name="scopes",
                    ),
                ),
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
                    models.CharField(editable=False, max_length=100, verbose_name="created by"),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True,
                        db_comment="To the minute or so: written at most once a minute",
                        editable=False,
                        null=True,
                        verbose_name="last used",
                    ),
                ),
                (
                    "expires_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="expires at"),
                ),
                (
                    "revoked_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="revoked at"
                    ),
                ),
                (
                    "revoked_by",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=100,
                        null=True,
                        verbose_name="revoked by",
                    ),
                ),
                (
                    "revoked_reason",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=500,
                        null=True,
                        verbose_name="reason of revocation",
                    ),
                ),
                (
                    "replaces",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replaced_by",
                        to="kitehub.apikey",
                        verbose_name="replaces",
                    ),
                ),
                (
                    "line_id",
                    models.UUIDField(
                        db_comment="The first key of those that replaced each other",
                        editable=False,
                        verbose_name="line",
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
                "db_table": "api_keys",
                "db_table_comment": "Keys by which the programs of instances are known",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["instance", "-created_at"], name="idx_api_keys_instance"
                    ),
                    kitehub.db.indexes.Index(fields=["line_id"], name="idx_api_keys_line"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("prefix",), name="api_keys_prefix_key"),
                    models.UniqueConstraint(fields=("replaces",), name="api_keys_replaces_key"),
                    models.CheckConstraint(
                        condition=models.Q(("prefix__regex", "^[0-9a-z]{10}$")),
                        name="api_keys_prefix_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("secret_hash__regex", "^[0-9a-f]{64}$")),
                        name="api_keys_secret_hash_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scopes__contained_by", [scope for scope, _ in SCOPES]),
                            ("scopes__len__gt", 0),
                        ),
                        name="api_keys_scopes_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("revoked_at__isnull", False), ("revoked_by__isnull", False)),
                            models.Q(
                                ("revoked_at__isnull", True),
                                ("revoked_by__isnull", True),
                                ("revoked_reason__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="api_keys_revoked_check",
                    ),
                ],
            },
        ),
        RunSQLFile(__file__, models=["kitehub.ApiKey"]),
    ]
