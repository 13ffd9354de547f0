"""V10: the passwords of instances' databases are encrypted at rest."""

from django.db import migrations

import kitehub.db.secrets
from kitehub.db.encryption import EncryptRows
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    # In batches, each a transaction of its own.
    atomic = False

    dependencies = [
        ("kitehub", "0009_v10_mend_rows"),
    ]

    operations = [
        migrations.AlterField(
            model_name="instance",
            name="database_password",
            field=kitehub.db.secrets.EncryptedField(
                max_length=255, verbose_name="database password"
            ),
        ),
        EncryptRows("instance", "database_password"),
        RunSQLFile(__file__, models=["kitehub.Instance"]),
        EncryptRows("instance", "database_password", closing=True),
    ]
