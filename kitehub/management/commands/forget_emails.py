"""`manage.py forget_emails`: deletes mail that was sent, or failed, long ago."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from kitehub.services import emails


class Command(BaseCommand):
    """Runs the service; for cron."""

    help = "Deletes messages that were sent 180 days ago, and those that failed a year ago."

    def handle(self, *args: Any, **options: Any) -> None:
        """Deletes, and says how many."""
        self.stdout.write(f"Forgotten: {emails.forget(at=timezone.now())}.")
