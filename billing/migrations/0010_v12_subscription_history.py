"""V12: history names nobody who did nothing, in its own table; a cancellation ends by the clock."""

from django.db import migrations

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0009_v10_mend_rows"),
        ("kitehub", "0012_v11_find_users_by_name"),
    ]

    operations = [
        RunSQLFile(__file__, models=["billing.Subscription", "billing.SubscriptionHistory"]),
    ]
