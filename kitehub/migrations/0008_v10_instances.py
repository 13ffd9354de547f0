"""V10: what the database guarantees of instances, from now on; old rows are mended later."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0007_v10_instance_configs"),
    ]

    operations = [
        RunSQLFile(__file__, models=["kitehub.Instance"]),
        AddConstraintNotValid(
            "instance",
            models.CheckConstraint(
                condition=models.Q(("deleted", True), ("deleted_at__isnull", False))
                | models.Q(("deleted", False), ("deleted_at__isnull", True)),
                name="instances_deleted_check",
            ),
        ),
    ]
