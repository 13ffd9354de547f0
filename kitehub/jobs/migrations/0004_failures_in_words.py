"""Why a job failed is kept so that it can be said in the reader's language."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0003_failed_jobs")]

    operations = [
        migrations.AddField(
            model_name="jobfailure",
            name="said",
            field=models.JSONField(
                db_comment="What the error is made of, where it can be said in the reader's language",
                null=True,
                verbose_name="error as a sentence",
            ),
        ),
    ]
