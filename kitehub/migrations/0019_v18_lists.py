"""V18: the back office lists schools, people and mail, and finds schools by words."""

import django.contrib.postgres.indexes
from django.db import migrations, models

import kitehub.db.indexes
import kitehub.db.words
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("kitehub", "0018_v17_language"),
        ("billing", "0022_v17_closed_schools"),
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        BuildIndex(
            model_name="email",
            index=kitehub.db.indexes.Index(
                fields=["state", "-queued_at", "-id"], name="idx_emails_list_state"
            ),
        ),
        BuildIndex(
            model_name="instance",
            index=kitehub.db.indexes.Index(
                fields=["-created_at", "-id"], name="idx_instances_list"
            ),
        ),
        BuildIndex(
            model_name="instance",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False)),
                fields=["status", "-created_at", "-id"],
                name="idx_instances_list_status",
            ),
        ),
        BuildIndex(
            model_name="instance",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", False)),
                fields=["tier", "-created_at", "-id"],
                name="idx_instances_list_tier",
            ),
        ),
        BuildIndex(
            model_name="instance",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("deleted", True)),
                fields=["-created_at", "-id"],
                name="idx_instances_deleted",
            ),
        ),
        BuildIndex(
            model_name="instance",
            index=django.contrib.postgres.indexes.GinIndex(
                kitehub.db.words.FoldedWords("organization_name"), name="idx_instances_words"
            ),
        ),
        BuildIndex(
            model_name="user",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("is_staff", True)),
                fields=["email"],
                name="idx_kitehub_users_staff",
            ),
        ),
        BuildIndex(
            model_name="user",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("is_superuser", True)),
                fields=["email"],
                name="idx_kitehub_users_superusers",
            ),
        ),
        BuildIndex(
            model_name="user",
            index=kitehub.db.indexes.Index(
                condition=models.Q(("is_active", False)),
                fields=["email"],
                name="idx_kitehub_users_inactive",
            ),
        ),
    ]
