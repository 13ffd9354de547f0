"""`manage.py send_reminders`: reminds owners of the end of what they have paid."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from billing.management.arguments import add_batch, add_moment
from billing.services.reminders import REMINDER_BATCH, remind_due


class Command(BaseCommand):
    """Runs the service and says what it did."""

    help = (
        "Asks for the mails that remind owners of the end of their period, each once."
        " Safe to kill and to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The moment that counts as now, and the size of a batch."""
        add_moment(parser)
        add_batch(parser, REMINDER_BATCH, "subscriptions")

    def handle(self, **options: Any) -> None:
        """Reminds, then prints one line."""
        done = remind_due(at=options["at"] or timezone.now(), batch=options["batch"])
        self.stdout.write(f"Reminders: {done.asked:,}.")
        if done.failed:
            raise CommandError(f"{done.failed} can't be asked for; the log says why.")
