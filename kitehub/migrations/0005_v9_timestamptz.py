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
            part="instance_configs",
            models=["kitehub.InstanceConfig"],
            state_operations=[
                migrations.AlterField(
                    model_name="instanceconfig",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="instanceconfig",
                    name="updated_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="instanceconfig",
                    name="deleted_at",
                    field=models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="deleted at"
                    ),
                ),
            ],
        ),
        RunSQLFile(
            __file__,
            part="instances",
            models=["kitehub.Instance"],
            state_operations=[
                migrations.AlterField(
                    model_name="instance",
                    name="trial_started_at",
                    field=models.DateTimeField(blank=True, null=True, verbose_name="trial started"),
                ),
                migrations.AlterField(
                    model_name="instance",
                    name="trial_expires_at",
                    field=models.DateTimeField(blank=True, null=True, verbose_name="trial ends"),
                ),
                migrations.AlterField(
                    model_name="instance",
                    name="subscription_expires_at",
                    field=models.DateTimeField(blank=True, null=True, verbose_name="paid until"),
                ),
                migrations.AlterField(
                    model_name="instance",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="instance",
                    name="updated_at",
                    field=models.DateTimeField(
                        db_default=kitehub.db.functions.Now(),
                        editable=False,
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="instance",
                    name="deleted_at",
                    field=models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="deleted at"
                    ),
                ),
            ],
        ),
    ]
