"""V10: the limit follows the instance's tier, or the exception to it in its limitations."""

from django.db import migrations

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0002_v9_timestamptz"),
        ("kitehub", "0006_v10_functions"),
    ]

    operations = [
        RunSQLFile(__file__, models=["storage.StorageUsage", "kitehub.InstanceConfig"]),
    ]
