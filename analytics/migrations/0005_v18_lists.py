"""V18: the back office lists the events that are rare."""

from django.db import migrations, models

from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("analytics", "0004_v14_gates"),
        ("kitehub", "0018_v17_language"),
        ("billing", "0022_v17_closed_schools"),
        ("storage", "0010_v16_tier_limits"),
    ]

    operations = [
        BuildIndex(
            model_name="guestevent",
            index=Index(
                condition=models.Q(("event_type__in", ("contact_click", "trial_register"))),
                fields=["event_type", "-timestamp", "-id"],
                name="idx_guest_events_list_rare",
            ),
        ),
    ]
