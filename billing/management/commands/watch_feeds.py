"""`manage.py watch_feeds`: notes which bank feeds have fallen silent."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from billing.management.arguments import add_moment
from billing.services import silences


class Command(BaseCommand):
    """Runs the service and says what it did."""

    help = "Notes which bank feeds have fallen silent, so that nobody's grace runs on meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        """The moment that counts as now."""
        add_moment(parser)

    def handle(self, **options: Any) -> None:
        """Looks, then prints one line."""
        found = silences.watch_feeds(at=options["at"] or timezone.now())
        self.stdout.write(f"Bank feeds that fell silent: {found:,}.")
