"""V14: guest sessions and events of an instance can be closed to writes."""

from django.db import migrations

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0003_v9_timestamptz"),
        ("kitehub", "0014_v14_moves"),
    ]

    operations = [
        RunSQLFile(__file__, models=["analytics.GuestSession", "analytics.GuestEvent"]),
    ]
