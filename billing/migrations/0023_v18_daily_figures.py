"""V18: the figures of the business by day, written while money and time are booked."""

from django.db import migrations, models

import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile

MEASURES = [
    ("REVENUE", "Revenue"),
    ("COURSE_FEES", "Course fees"),
    ("REFUNDS", "Paid back"),
    ("MRR", "Monthly recurring revenue"),
    ("PAST_DUE", "Past due"),
    ("TRIALS", "Running trials"),
    ("TRIALS_BEGUN", "Trials begun"),
    ("TRIALS_CONVERTED", "Trials that pay"),
    ("TRIALS_LOST", "Trials without payment"),
    ("STARTED", "Paid without a trial"),
    ("CHURNED", "Customers lost"),
    ("RETURNED", "Customers who came back"),
]
TIERS = [("BASIC", "Basic"), ("STANDARD", "Standard"), ("PREMIUM", "Premium")]


def columns():
    """Those of both tables."""
    return [
        ("id", models.BigAutoField(primary_key=True, serialize=False, verbose_name="ID")),
        ("day", models.DateField(verbose_name="day")),
        ("measure", models.CharField(choices=MEASURES, max_length=20, verbose_name="measure")),
        (
            "tier",
            models.CharField(blank=True, choices=TIERS, max_length=20, verbose_name="tier"),
        ),
        ("amount", models.BigIntegerField(verbose_name="amount")),
        ("quantity", models.BigIntegerField(verbose_name="quantity")),
    ]


def is_known(name):
    """Both tables' check of the measure."""
    condition = models.Q(("measure__in", [measure for measure, _ in MEASURES]))
    return models.CheckConstraint(condition=condition, name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0022_v17_closed_schools"),
        ("kitehub", "0018_v17_language"),
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="FigureEntry",
            fields=columns(),
            options={
                "verbose_name": "change of a figure",
                "verbose_name_plural": "changes of figures",
                "db_table": "figure_entries",
                "db_table_comment": "Changes of the figures that fold_figures has yet to add to their days",
                "constraints": [is_known("figure_entries_measure_check")],
            },
        ),
        migrations.CreateModel(
            name="DailyFigure",
            fields=columns(),
            options={
                "verbose_name": "figure",
                "verbose_name_plural": "figures",
                "db_table": "daily_figures",
                "db_table_comment": "Figures by day in Vietnam; with figure_entries they are exact",
                "constraints": [
                    is_known("daily_figures_measure_check"),
                    models.UniqueConstraint(
                        fields=["measure", "day", "tier"],
                        name="daily_figures_measure_day_tier_key",
                    ),
                ],
                "indexes": [
                    kitehub.db.indexes.Index(fields=["-day", "-id"], name="idx_daily_figures_day"),
                ],
            },
        ),
        RunSQLFile(
            __file__,
            models=[
                "billing.FigureEntry",
                "billing.DailyFigure",
                "billing.PaymentOrder",
                "billing.Refund",
                "billing.CreditEntry",
                "billing.Subscription",
                "billing.SubscriptionHistory",
            ],
        ),
    ]
