"""Why a job failed: beside procrastinate's tables, and like them of no version of the plan's."""

import django.db.models.deletion
from django.db import migrations, models

import kitehub.db.functions
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    initial = True

    dependencies = [("procrastinate", "0041_post_retry_failed_job")]

    operations = [
        migrations.CreateModel(
            name="JobFailure",
            fields=[
                (
                    "job",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="failure",
                        serialize=False,
                        to="procrastinate.procrastinatejob",
                        verbose_name="job",
                    ),
                ),
                ("error", models.TextField(verbose_name="error")),
                (
                    "failed_at",
                    models.DateTimeField(
                        db_default=kitehub.db.functions.Now(), verbose_name="failed at"
                    ),
                ),
            ],
            options={
                "verbose_name": "job failure",
                "verbose_name_plural": "job failures",
                "db_table": "job_failures",
                "db_table_comment": "Why a background job failed the last time",
            },
        ),
        migrations.CreateModel(
            name="Job",
            fields=[],
            options={
                "verbose_name": "background job",
                "verbose_name_plural": "background jobs",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("procrastinate.procrastinatejob",),
        ),
        RunSQLFile(__file__, models=["jobs.JobFailure", "jobs.Job"]),
    ]
