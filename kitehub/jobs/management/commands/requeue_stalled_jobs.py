"""`manage.py requeue_stalled_jobs`: takes up the jobs of killed workers again."""

from typing import Any

from django.core.management.base import BaseCommand

from kitehub.jobs import services


class Command(BaseCommand):
    """Runs the service; for cron, where no worker may be alive to do it."""

    help = "Takes up again the jobs of workers that were killed. Workers do it every minute."

    def handle(self, *args: Any, **options: Any) -> None:
        """Takes them up, and says how many."""
        self.stdout.write(f"Taken up again: {services.requeue_stalled()}.")
