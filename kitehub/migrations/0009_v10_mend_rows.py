"""V10: rows from before get what has one right answer; then the constraints hold for them too."""

from django.db import migrations

from kitehub.db.adoption import MendRows, ValidateWhereClean


class Migration(migrations.Migration):
    # In batches, each a transaction of its own.
    atomic = False

    dependencies = [
        ("kitehub", "0008_v10_instances"),
    ]

    operations = [
        MendRows(
            "instanceconfig",
            change="deleted_at = updated_at",
            broken="deleted AND deleted_at IS NULL",
        ),
        # The flag leads: it is what every query and index of the plan goes by.
        MendRows(
            "instanceconfig",
            change="deleted_at = NULL",
            broken="NOT deleted AND deleted_at IS NOT NULL",
        ),
        ValidateWhereClean("instanceconfig", "instance_configs_deleted_check"),
        MendRows(
            "instance", change="deleted_at = updated_at", broken="deleted AND deleted_at IS NULL"
        ),
        # The flag leads: it is what every query and index of the plan goes by.
        MendRows(
            "instance", change="deleted_at = NULL", broken="NOT deleted AND deleted_at IS NOT NULL"
        ),
        ValidateWhereClean("instance", "instances_deleted_check"),
    ]
