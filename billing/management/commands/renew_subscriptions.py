"""`manage.py renew_subscriptions`: opens the orders for the next periods."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from billing.accounts import NoReceivingAccount
from billing.management.arguments import add_batch, add_moment
from billing.services.renewals import RENEWAL_BATCH, renew_due


class Command(BaseCommand):
    """Runs the service and says what it did."""

    help = (
        "Opens the order for the next period of every subscription that ends within"
        " KITEHUB_RENEWAL_DAYS. Safe to kill and to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The moment that counts as now, and the size of a batch."""
        add_moment(parser)
        add_batch(parser, RENEWAL_BATCH, "subscriptions")

    def handle(self, **options: Any) -> None:
        """Renews, then prints one line; exit code 1 where some can't be renewed."""
        try:
            done = renew_due(at=options["at"] or timezone.now(), batch=options["batch"])
        except NoReceivingAccount as error:
            raise CommandError(f"Nothing is renewed: {error}") from None
        self.stdout.write(f"Orders opened: {done.opened:,}.")
        if done.failed:
            keys = ", ".join(str(key) for key in done.failed[:10])
            raise CommandError(f"{len(done.failed)} can't be renewed (see the log): {keys}")
