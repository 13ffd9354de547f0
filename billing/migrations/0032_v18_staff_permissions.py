"""V18: what staff may do with money, each by its own name. No SQL: Django keeps permissions."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0031_v18_duplicates"),
        ("kitehub", "0018_v17_language"),
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="banktransfer",
            options={
                "permissions": [
                    ("match_transfer", "Can say what bank transfers are for"),
                    ("import_statement", "Can import bank statements"),
                ],
                "verbose_name": "bank transfer",
                "verbose_name_plural": "bank transfers",
            },
        ),
        migrations.AlterModelOptions(
            name="creditentry",
            options={
                "permissions": [("grant_credit", "Can give credit")],
                "verbose_name": "credit entry",
                "verbose_name_plural": "credit entries",
            },
        ),
        migrations.AlterModelOptions(
            name="paymentorder",
            options={
                "permissions": [
                    ("cancel_order", "Can cancel payment orders"),
                    (
                        "reopen_order",
                        "Can give orders more time, open them anew and send their mail",
                    ),
                ],
                "verbose_name": "payment order",
                "verbose_name_plural": "payment orders",
            },
        ),
        migrations.AlterModelOptions(
            name="refund",
            options={
                "permissions": [
                    ("request_refund", "Can ask for refunds"),
                    ("approve_refund", "Can decide refunds that others asked for"),
                ],
                "verbose_name": "refund",
                "verbose_name_plural": "refunds",
            },
        ),
        migrations.AlterModelOptions(
            name="subscription",
            options={
                "permissions": [
                    ("extend_subscription", "Can give days and pause subscriptions"),
                    ("change_plan", "Can change the tier of subscriptions, and cancel them"),
                ],
                "verbose_name": "subscription",
                "verbose_name_plural": "subscriptions",
            },
        ),
    ]
