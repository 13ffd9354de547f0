"""Failed jobs, and those that were given up, are counted from indexes of their own."""

from django.db import migrations

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [("jobs", "0002_levers")]

    operations = [
        RunSQLFile(__file__, models=["jobs.Job"], part="failed"),
        RunSQLFile(__file__, models=["jobs.Job"], part="given_up"),
    ]
