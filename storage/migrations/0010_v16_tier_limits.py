"""V16: a tier's storage limit may be changed by the settings, and its instances' limits follow."""

from django.db import migrations, models

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0009_v15_archives"),
        ("kitehub", "0016_v16_scoped_managers"),
    ]

    operations = [
        migrations.CreateModel(
            name="TierLimit",
            fields=[
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("BASIC", "Basic"),
                            ("STANDARD", "Standard"),
                            ("PREMIUM", "Premium"),
                        ],
                        max_length=20,
                        primary_key=True,
                        serialize=False,
                        verbose_name="tier",
                    ),
                ),
                ("limit_bytes", models.BigIntegerField(null=True, verbose_name="limit")),
            ],
            options={
                "verbose_name": "tier limit",
                "verbose_name_plural": "tier limits",
                "db_table": "storage_tier_limits",
                "db_table_comment": "Storage limits of tiers that the settings change",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("tier__in", ["BASIC", "STANDARD", "PREMIUM"])),
                        name="storage_tier_limits_tier_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("limit_bytes__gte", 0)),
                        name="storage_tier_limits_limit_bytes_check",
                    ),
                ],
            },
        ),
        RunSQLFile(
            __file__,
            models=["storage.TierLimit", "storage.StorageUsage", "kitehub.InstanceConfig"],
        ),
    ]
