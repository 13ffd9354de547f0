"""The plan, V8: indexes for the commonest queries."""

from django.db import migrations

import kitehub.db.indexes
from kitehub.db.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0001_v4_guest_analytics"),
        ("storage", "0001_v7_storage_tracking"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="guestevent",
            index=kitehub.db.indexes.Index(
                fields=["instance_id", "event_type", "-timestamp"],
                name="idx_guest_events_instance_type_timestamp",
            ),
        ),
        RunSQLFile(
            __file__,
            models=["analytics.GuestSession", "analytics.GuestEvent"],
        ),
    ]
