"""V10: the functions behind the guarantees. Every database with a tenant's tables has them."""

from django.db import migrations

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0003_v9_timestamptz"),
        ("billing", "0004_v9_timestamptz"),
        ("branding", "0003_v9_timestamptz"),
        ("kitehub", "0005_v9_timestamptz"),
        ("storage", "0002_v9_timestamptz"),
    ]

    operations = [RunSQLFile(__file__, models=["kitehub.InstanceConfig"])]
