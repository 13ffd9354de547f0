"""V10: what the database guarantees of instance configs, from now on; old rows are mended later."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0006_v10_functions"),
    ]

    operations = [
        RunSQLFile(__file__, models=["kitehub.InstanceConfig"]),
        AddConstraintNotValid(
            "instanceconfig",
            models.CheckConstraint(
                condition=models.Q(("deleted", True), ("deleted_at__isnull", False))
                | models.Q(("deleted", False), ("deleted_at__isnull", True)),
                name="instance_configs_deleted_check",
            ),
        ),
    ]
