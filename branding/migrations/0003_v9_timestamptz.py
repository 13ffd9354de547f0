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
            models=["branding.BrandingJob"],
            state_operations=[
                migrations.AlterField(
                    model_name="brandingjob",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="brandingjob",
                    name="updated_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="brandingjob",
                    name="deleted_at",
                    field=models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="deleted at"
                    ),
                ),
            ],
        ),
    ]
