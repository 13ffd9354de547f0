"""V10: the plan's comment gave VietinBank's BIN for Vietcombank (State Bank of Vietnam's list)."""

from django.db import migrations, models

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0010_v10_encrypt_database_passwords"),
    ]

    operations = [
        RunSQLFile(
            __file__,
            models=["kitehub.Instance"],
            state_operations=[
                migrations.AlterField(
                    model_name="instance",
                    name="bank_code",
                    field=models.CharField(
                        blank=True,
                        db_comment="Vietnamese bank BIN code (e.g., 970436 for Vietcombank)",
                        max_length=10,
                        null=True,
                        verbose_name="bank (BIN)",
                    ),
                ),
            ],
        ),
    ]
