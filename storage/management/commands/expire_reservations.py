"""`manage.py expire_reservations`: give back the room of uploads that never came."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from storage import services


class Command(BaseCommand):
    """Expires overdue reservations and forgets old settled ones, in all databases; for cron."""

    help = (
        "Gives back the room of overdue reservations, and forgets those settled a week ago, in the "
        "pool and in every silo. Exit code 1 says that a silo failed; the rest is done."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Expires, forgets, and says how many."""
        try:
            done, failure = services.expire_everywhere(), None
        except services.Incomplete as error:
            done, failure = error.done, error
        self.stdout.write(f"Expired: {done.expired}. Forgotten: {done.forgotten}.")
        if failure is not None:
            raise CommandError(str(failure)) from failure
