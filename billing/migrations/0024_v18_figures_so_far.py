"""V18: what was booked before the figures is counted too, while others go on booking."""

from django.db import migrations

from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0023_v18_daily_figures"),
    ]

    operations = [
        RunSQLFile(__file__, models=["billing.FigureEntry", "billing.DailyFigure"]),
    ]
