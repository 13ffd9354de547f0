"""`manage.py settle_transfers`: settles bank lines that nothing was made of yet."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from billing.management.arguments import add_moment
from billing.services import planned, settlement


class Command(BaseCommand):
    """Runs the service and says what it did."""

    help = "Settles bank lines and books assignments. Safe to kill and to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        """The moment that counts as now."""
        add_moment(parser)

    def handle(self, **options: Any) -> None:
        """Settles, then prints a line; exit code 1 where some can't be settled."""
        at = options["at"] or timezone.now()
        done = settlement.settle_waiting(at=at, lost_after=timedelta(0))
        booked = planned.book_due(at=at)
        self.stdout.write(f"Bank lines settled: {done.lines:,}.")
        if booked:
            self.stdout.write(f"Assignments booked: {booked:,}.")
        if done.failed:
            keys = ", ".join(str(key) for key in done.failed[:10])
            raise CommandError(f"{len(done.failed)} can't be settled (see the log): {keys}")
