"""`manage.py rotate_keys`: brings encrypted columns to the newest of KITEHUB_FIELD_KEYS."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kitehub.db.secrets import KeyState
from kitehub.services.secrets import EncryptedColumn, encrypted_columns

ACTOR = "manage.py rotate_keys"


class Command(BaseCommand):
    """Counts, and re-encrypts what needs an older key."""

    help = (
        "Encrypts under the first key of KITEHUB_FIELD_KEYS what was encrypted under another one. "
        "Safe on a running site, and safe to stop and start again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Takes --dry-run or --check."""
        only_look = parser.add_mutually_exclusive_group()
        only_look.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and change nothing"
        )
        only_look.add_argument(
            "--check",
            action="store_true",
            help="change nothing, and end with 1 while a row needs an older key or a missing one",
        )

    def handle(self, *, dry_run: bool, check: bool, **options: Any) -> None:
        """Says of each column how many rows there were, were done and are left."""
        older = unreadable = 0
        for column in encrypted_columns():
            if not dry_run and not check:
                count = column.rotate(actor=ACTOR)
                self.stdout.write(f"{column}: re-encrypted {_rows(count)}.")
            counts = self._say(column)
            older += counts[KeyState.OLDER]
            unreadable += counts[KeyState.UNREADABLE]
        if dry_run:
            self.stdout.write(f"Would re-encrypt {_rows(older)}. Nothing was changed.")
        elif unreadable:
            raise CommandError(
                f"{_rows(unreadable)} can't be read with any key in KITEHUB_FIELD_KEYS."
            )
        elif older:
            raise CommandError(f"{_rows(older)} still under older keys: keep these keys.")

    def _say(self, column: EncryptedColumn) -> Any:
        counts = column.count()
        self.stdout.write(
            f"{column}: {_rows(counts[KeyState.NEWEST])} under the newest key, "
            f"{counts[KeyState.OLDER]} under older keys, {counts[KeyState.UNREADABLE]} unreadable."
        )
        return counts


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"
