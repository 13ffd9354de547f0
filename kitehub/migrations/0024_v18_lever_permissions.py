"""V18: what the levers on an instance's page ask for. No table changes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("kitehub", "0023_v18_instance_watch")]

    operations = [
        migrations.AlterModelOptions(
            name="instance",
            options={
                "permissions": [
                    ("provision_instance", "Can finish the opening of instances"),
                    ("move_instance", "Can move instances to another database"),
                    ("suspend_instance", "Can suspend and resume instances"),
                    ("close_instance", "Can close instances and open them again"),
                    ("change_bank_account", "Can change where the students of instances pay to"),
                    ("change_owner", "Can give instances to another owner"),
                ],
                "verbose_name": "instance",
                "verbose_name_plural": "instances",
            },
        ),
    ]
