"""V14: an instance's storage can be closed to writes, and moved without being counted again."""

from django.db import migrations

from kitehub.db.operations import RunSQLFile

TABLES = ["storage.StorageUsage", "storage.StorageEvent", "storage.Reservation"]


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0007_v12_ledger_under_any_path"),
        ("kitehub", "0014_v14_moves"),
    ]

    operations = [
        RunSQLFile(__file__, part="gates", models=TABLES),
        RunSQLFile(__file__, part="moving", models=TABLES),
        RunSQLFile(__file__, part="limits", models=["kitehub.InstanceConfig"]),
    ]
