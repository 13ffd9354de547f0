"""V16: what Django goes by where code names no manager of configs is scoped; of the state only."""

import django.db.models.manager
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0015_v15_leaving"),
        # All of V15, so that a step back from V16 takes nothing of it along.
        ("storage", "0009_v15_archives"),
    ]

    operations = [
        migrations.AlterModelManagers(
            "instanceconfig",
            [
                ("objects", django.db.models.manager.Manager()),
                ("all_objects", django.db.models.manager.Manager()),
            ],
        ),
    ]
