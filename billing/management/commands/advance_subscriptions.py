"""`manage.py advance_subscriptions`: begins periods, and ends what is over."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from billing.management.arguments import add_batch, add_moment
from billing.services.subscriptions.advance import ADVANCE_BATCH, advance_due


class Command(BaseCommand):
    """Runs the service and says what it did."""

    help = (
        "Begins the periods of subscriptions whose time has come, with their tier, and ends what is"
        " over: trials, what was cancelled, what is past its grace. Safe to kill and to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The moment that counts as now, and the size of a batch."""
        add_moment(parser)
        add_batch(parser, ADVANCE_BATCH, "subscriptions")

    def handle(self, **options: Any) -> None:
        """Advances, then prints a line; exit code 1 where a period can't begin."""
        done = advance_due(at=options["at"] or timezone.now(), batch=options["batch"])
        self.stdout.write(
            f"Periods begun: {done.begun:,}, of them with another tier: {done.retiered:,}."
            f" States changed: {done.moved:,}."
        )
        if done.failed:
            keys = ", ".join(str(key) for key in done.failed[:10])
            raise CommandError(f"{len(done.failed)} can't begin (see the log): {keys}")
