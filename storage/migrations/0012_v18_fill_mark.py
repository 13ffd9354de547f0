"""V18: the back office finds the schools whose storage is nearly full, and those over the limit."""

from django.db import migrations, models
from django.db.models.functions import Cast


class Migration(migrations.Migration):
    # A stored column is written into every row, and nobody reads or writes the table meanwhile. It
    # has a row a school: 250,000 took 6 seconds on a machine with much else to do.
    dependencies = [
        ("storage", "0011_v18_lists"),
    ]

    operations = [
        migrations.AddField(
            model_name="storageusage",
            name="fill_mark",
            field=models.GeneratedField(
                db_comment="Percent of the limit that are passed: 0, 90 or 100",
                db_persist=True,
                expression=models.Case(
                    models.When(then=models.Value(100), used_bytes__gt=models.F("limit_bytes")),
                    models.When(
                        then=models.Value(90),
                        used_bytes__gt=Cast(
                            "limit_bytes", models.DecimalField(decimal_places=2, max_digits=25)
                        )
                        * models.Value(90)
                        / models.Value(100),
                    ),
                    default=models.Value(0),
                    output_field=models.SmallIntegerField(),
                ),
                output_field=models.SmallIntegerField(),
                verbose_name="mark",
            ),
        ),
    ]
