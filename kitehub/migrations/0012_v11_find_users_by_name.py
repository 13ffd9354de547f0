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
    ]

    operations = [
        BuildIndex(
            model_name="user",
            index=GinIndex(FoldedWords("email", "full_name"), name="idx_kitehub_users_words"),
        ),
    ]
