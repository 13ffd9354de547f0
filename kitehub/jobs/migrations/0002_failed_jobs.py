"""Failed jobs are counted from an index; and what may be done to jobs has permissions."""

from django.db import migrations

from kitehub.db.operations import RunSQLFile


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
        RunSQLFile(__file__, models=["jobs.Job"]),
    ]
