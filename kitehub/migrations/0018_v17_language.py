"""V17: the language that a person is written to in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("kitehub", "0017_v17_emails")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(
                blank=True,
                db_comment=(
                    "What the person last chose to read, for their mail; empty: the site's first"
                ),
                db_default="",
                max_length=5,
                verbose_name="language",
            ),
        ),
    ]
