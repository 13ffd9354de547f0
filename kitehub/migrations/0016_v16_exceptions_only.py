"""V16: configs keep the exceptions to their tier only, so that all else follows the tier.

The plan's application and V10's provisioning copied the tier's values when a school was opened.
"""

import django.db.models.manager
from django.db import migrations

from kitehub.db.adoption import MendRows

# As the tiers were when the copies were made, whatever KITEHUB_PLANS says of them today.
COPIED = {
    "features": {
        "BASIC": '{"engagement": false, "media": false, "premium": false}',
        "STANDARD": '{"engagement": true, "media": true, "premium": false}',
        "PREMIUM": '{"engagement": true, "media": true, "premium": true}',
    },
    "limitations": {
        "BASIC": '{"maxStudents": 50, "maxCourses": 10}',
        "STANDARD": '{"maxStudents": 200, "maxCourses": 50}',
        "PREMIUM": '{"maxStudents": null, "maxCourses": null}',
    },
}


def keep_exceptions(column: str) -> MendRows:
    """Takes the tier's own values out of a column; what is no object is left as it is."""
    tiers = " ".join(f"WHEN '{tier}' THEN '{said}'" for tier, said in COPIED[column].items())
    # One of no pairs where it is no object, which jsonb_each would refuse.
    pairs = f"jsonb_each(CASE jsonb_typeof({column}) WHEN 'object' THEN {column} ELSE '{{}}' END)"
    copied = f"(CASE tier {tiers} END)::jsonb @> jsonb_build_object(key, value)"
    return MendRows(
        "instanceconfig",
        change=f"{column} = (SELECT COALESCE(jsonb_object_agg(key, value), '{{}}') FROM {pairs}"  # noqa: S608
        f" WHERE NOT {copied})",
        broken=f"EXISTS (SELECT FROM {pairs} WHERE {copied})",
        what=f"{column} = the exceptions to the tier",
    )


class Migration(migrations.Migration):
    # In batches, each a transaction of its own.
    atomic = False

    dependencies = [
        ("kitehub", "0015_v15_leaving"),
        # All of V15, so that a step back from V16 takes nothing of it along.
        ("storage", "0009_v15_archives"),
    ]

    operations = [
        # Of the state only: what Django goes by where code names no manager is scoped from now on.
        migrations.AlterModelManagers(
            "instanceconfig",
            [
                ("objects", django.db.models.manager.Manager()),
                ("all_objects", django.db.models.manager.Manager()),
            ],
        ),
        keep_exceptions("features"),
        keep_exceptions("limitations"),
    ]
