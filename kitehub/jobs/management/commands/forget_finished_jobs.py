"""`manage.py forget_finished_jobs`: deletes jobs that ended long ago."""

from typing import Any

from django.core.management.base import BaseCommand

from kitehub.jobs import services


class Command(BaseCommand):
    """Runs the service; for cron."""

    help = "Deletes jobs that ended a week ago, and those that failed 90 days ago."

    def handle(self, *args: Any, **options: Any) -> None:
        """Deletes, and says how many."""
        self.stdout.write(f"Forgotten: {services.forget_finished()}.")
