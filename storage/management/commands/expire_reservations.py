"""`manage.py expire_reservations`: give back the room of uploads that never came."""

from typing import Any

from django.core.management.base import BaseCommand

from storage import services


class Command(BaseCommand):
    """Expires overdue reservations and forgets old settled ones; for cron."""

    help = "Gives back the room of overdue reservations, and forgets those settled a week ago."

    def handle(self, *args: Any, **options: Any) -> None:
        """Expires, forgets, and says how many."""
        done = services.expire_reservations()
        self.stdout.write(f"Expired: {done.expired}. Forgotten: {done.forgotten}.")
