"""V15: archived events come back as they were, and those of a school that leaves may go."""

from django.db import migrations

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0008_v14_gates"),
        ("kitehub", "0015_v15_leaving"),
    ]

    operations = [
        RunSQLFile(__file__, models=["storage.StorageEvent", "kitehub.ArchiveRun"]),
    ]
