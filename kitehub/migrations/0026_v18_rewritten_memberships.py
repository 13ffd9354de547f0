"""V18: memberships and permissions that an UPDATE rewrites are in the security log too."""

from django.db import migrations

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [("kitehub", "0025_v18_lists_of_schools")]

    operations = [RunSQLFile(__file__, models=["kitehub.SecurityEvent", "kitehub.User"])]
