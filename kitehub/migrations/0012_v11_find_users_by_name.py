"""V11: staff find a person by the beginnings of words, with accents or without."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

from kitehub.db.operations import BuildIndex
from kitehub.db.words import FoldedWords


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs in no transaction; nothing else is in this migration.
    atomic = False

    dependencies = [
        ("kitehub", "0011_v10_bank_comment"),
        # All of V10, so that a step back from V11 takes nothing of it along.
        ("analytics", "0003_v9_timestamptz"),
        ("billing", "0009_v10_mend_rows"),
        ("branding", "0005_v10_mend_rows"),
        ("storage", "0006_v10_mend_rows"),
    ]

    operations = [
        BuildIndex(
            model_name="user",
            index=GinIndex(FoldedWords("email", "full_name"), name="idx_kitehub_users_words"),
        ),
    ]
