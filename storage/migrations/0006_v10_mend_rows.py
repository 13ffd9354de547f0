"""V10: rows from before get the limit of their tier; what has no one right answer is listed."""

from typing import Any

from django.db import migrations

from kitehub.db.adoption import MendRows, ValidateWhereClean
from kitehub.db.operations import RunSQLFile

SHOWN = 10


def list_negative_sizes(apps: Any, schema_editor: Any) -> None:
    """Says which events have a size below 0: nobody knows what was meant, so none is changed."""
    StorageEvent = apps.get_model("storage", "StorageEvent")
    old = StorageEvent.objects.using(schema_editor.connection.alias)
    negative = old.filter(file_size_bytes__lt=0).exclude(operation="ADJUST")
    count = negative.count()
    if count:
        ids = [str(pk) for pk in negative.order_by("id").values_list("pk", flat=True)[:SHOWN]]
        more = ", ..." if count > SHOWN else ""
        print(
            f"\n    storage_events: old rows with a negative size, left as they are: {count} "
            f"({', '.join(ids)}{more}); manage.py reconcile_storage --dry-run lists them",
            end="",
        )


def count_drifts(apps: Any, schema_editor: Any) -> None:
    """Says how many instances lost bytes to the plan's trigger; reconcile_storage finds them."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM storage_usage FULL JOIN ("
            " SELECT instance_id, sum(CASE operation WHEN 'DELETE' THEN -file_size_bytes"
            " ELSE file_size_bytes END) AS total FROM storage_events GROUP BY instance_id"
            ") AS events USING (instance_id)"
            " WHERE COALESCE(used_bytes, 0) <> COALESCE(total, 0)"
        )
        count = cursor.fetchone()[0]
    if count:
        print(
            f"\n    storage_usage: instances whose used bytes differ from their events: {count}; "
            "manage.py reconcile_storage --dry-run says by how much",
            end="",
        )


class Migration(migrations.Migration):
    # In batches, each a transaction of its own.
    atomic = False

    dependencies = [
        ("storage", "0005_v10_reservations"),
    ]

    operations = [
        # 0 is what the plan's trigger gave every instance. Any other number somebody chose.
        MendRows(
            "storageusage",
            change="limit_bytes = storage_limit_of(instance_id)",
            broken="limit_bytes = 0 AND storage_limit_of(instance_id) > 0",
        ),
        RunSQLFile(__file__, models=["storage.StorageUsage", "kitehub.InstanceConfig"]),
        ValidateWhereClean("storageusage", "storage_usage_reserved_bytes_check"),
        migrations.RunPython(
            list_negative_sizes,
            migrations.RunPython.noop,
            hints={"models": ("storage.StorageEvent",)},
        ),
        migrations.RunPython(
            count_drifts,
            migrations.RunPython.noop,
            hints={"models": ("storage.StorageUsage", "storage.StorageEvent")},
        ),
        ValidateWhereClean("storageevent", "storage_events_operation_check"),
        ValidateWhereClean("storageevent", "storage_events_size_check"),
        ValidateWhereClean("storageevent", "storage_events_correction_check"),
    ]
