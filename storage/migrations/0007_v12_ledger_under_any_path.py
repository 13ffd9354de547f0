"""V12: the ledger counts in its own tables whatever a writer's search path; old signs are mended."""

from django.db import migrations

from kitehub.db.adoption import ValidateWhereClean
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0006_v10_mend_rows"),
        ("kitehub", "0012_v11_find_users_by_name"),
    ]

    # What reads the whole table comes first, so that no other table is locked meanwhile.
    operations = [
        RunSQLFile(__file__, part="signs", models=["storage.StorageEvent"]),
        ValidateWhereClean("storageevent", "storage_events_size_check"),
        RunSQLFile(
            __file__,
            part="limits",
            models=["storage.StorageUsage", "kitehub.InstanceConfig"],
        ),
        RunSQLFile(
            __file__,
            part="ledger",
            models=["storage.StorageUsage", "storage.StorageEvent", "storage.Reservation"],
        ),
    ]
