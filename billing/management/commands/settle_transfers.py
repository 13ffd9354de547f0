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
        """Settles, then prints a line; exit code 1 where some can't be."""
        at = options["at"] or timezone.now()
        done = settlement.settle_waiting(at=at, lost_after=timedelta(0))
        due = planned.book_due(at=at)
        self.stdout.write(f"Bank lines settled: {done.lines:,}.")
        if due.booked:
            self.stdout.write(f"Assignments booked: {due.booked:,}.")
        told = [
            f"{len(failed)} {what} (see the log): {', '.join(map(str, failed[:10]))}"
            for failed, what in (
                (done.failed, "can't be settled"),
                (due.failed, "can't be booked"),
            )
            if failed
        ]
        if told:
            raise CommandError("; ".join(told))
