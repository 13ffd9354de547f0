"""`manage.py forget_security_events`: deletes what the security log need not keep any longer."""

from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone

from kitehub.services import security, sessions


class Command(BaseCommand):
    """For cron where no worker runs the task."""

    help = "Deletes events of the security log that are older than two years, and dead sessions."

    def handle(self, *args: Any, **options: Any) -> None:
        """Deletes them."""
        at = timezone.now()
        count = security.forget(at=at) + sessions.forget_over(at=at)
        self.stdout.write(f"Forgotten: {count}.")
