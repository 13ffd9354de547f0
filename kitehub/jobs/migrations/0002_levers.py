"""What may be done to jobs has permissions. No SQL: Django keeps them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_job_failures")]

    operations = [
        migrations.AlterModelOptions(
            name="job",
            options={
                "permissions": [
                    ("retry_job", "Can put failed jobs into the queue again"),
                    ("cancel_job", "Can take jobs out of the queue"),
                ],
                "verbose_name": "background job",
                "verbose_name_plural": "background jobs",
            },
        ),
    ]
