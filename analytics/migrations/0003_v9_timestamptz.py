"""V9: every time of the plan gets its zone. The values are UTC."""

from django.db import migrations, models

import kitehub.db.functions
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0002_v8_performance_indexes"),
        ("billing", "0003_v8_performance_indexes"),
        ("branding", "0002_v8_performance_indexes"),
        ("kitehub", "0004_v8_performance_indexes"),
    ]

    operations = [
        RunSQLFile(
            __file__,
            models=["analytics.GuestSession", "analytics.GuestEvent"],
            state_operations=[
                migrations.AlterField(
                    model_name="guestsession",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="started at"
                    ),
                ),
                migrations.AlterField(
                    model_name="guestsession",
                    name="expires_at",
                    field=models.DateTimeField(verbose_name="expires at"),
                ),
                migrations.AlterField(
                    model_name="guestevent",
                    name="timestamp",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="time"
                    ),
                ),
            ],
        ),
    ]
