"""V17: a cancelled subscription ends; the clock may be the one that the writer works by."""

from django.db import migrations

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0019_v17_receipts"),
    ]

    operations = [
        RunSQLFile(__file__, models=["billing.Subscription"]),
    ]
