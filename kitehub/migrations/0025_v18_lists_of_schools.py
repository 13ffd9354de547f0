"""V18: the back office lists what there is a row of for each school, or for some."""

from django.db import migrations, models

from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("kitehub", "0024_v18_lever_permissions"),
    ]

    operations = [
        BuildIndex(
            model_name="apikey",
            index=Index(fields=["-created_at", "-id"], name="idx_api_keys_list"),
        ),
        BuildIndex(
            model_name="apikey",
            index=Index(
                condition=models.Q(("revoked_at__isnull", False)),
                fields=["-created_at", "-id"],
                name="idx_api_keys_list_revoked",
            ),
        ),
        BuildIndex(
            model_name="apikey",
            index=Index(
                condition=models.Q(("expires_at__isnull", False), ("revoked_at__isnull", True)),
                fields=["expires_at"],
                name="idx_api_keys_expires",
            ),
        ),
        BuildIndex(
            model_name="instanceconfig",
            index=Index(
                condition=models.Q(("deleted", True)),
                fields=["-created_at", "-id"],
                name="idx_instance_configs_deleted",
            ),
        ),
        BuildIndex(
            model_name="instancemove",
            index=Index(fields=["-created_at", "-id"], name="idx_instance_moves_list"),
        ),
        BuildIndex(
            model_name="instancemove",
            index=Index(fields=["step", "-created_at", "-id"], name="idx_instance_moves_list_step"),
        ),
        BuildIndex(
            model_name="instancesuspension",
            index=Index(fields=["-created_at", "-id"], name="idx_instance_suspensions_list"),
        ),
        BuildIndex(
            model_name="tombstone",
            index=Index(fields=["-deprovision_at", "-id"], name="idx_instance_tombstones_list"),
        ),
        BuildIndex(
            model_name="tombstone",
            index=Index(fields=["instance"], name="idx_instance_tombstones_instance"),
        ),
        BuildIndex(
            model_name="tombstone",
            index=Index(fields=["archive_sha256"], name="idx_instance_tombstones_archive"),
        ),
        BuildIndex(
            model_name="archiverun",
            index=Index(fields=["kind", "-started_at", "-id"], name="idx_archive_runs_list_kind"),
        ),
        BuildIndex(
            model_name="archiverun",
            index=Index(fields=["-started_at", "-id"], name="idx_archive_runs_list"),
        ),
        BuildIndex(
            model_name="instancewatch",
            index=Index(fields=["-looked_at", "-id"], name="idx_instance_watch_list"),
        ),
        BuildIndex(
            model_name="note",
            index=Index(fields=["created_by", "-created_at", "-id"], name="idx_notes_created_by"),
        ),
    ]
