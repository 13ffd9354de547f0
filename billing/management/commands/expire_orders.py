"""`manage.py expire_orders`: expires payment orders whose time is up."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from billing.management.arguments import add_moment
from billing.services import EXPIRY_BATCH, expire_overdue


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


class Command(BaseCommand):
    """Runs the service and says what it did."""

    help = "Expires pending payment orders whose time is up. Safe to kill and to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        """The moment that counts as now, and the size of a batch."""
        add_moment(parser)
        parser.add_argument(
            "--batch",
            type=_count,
            default=EXPIRY_BATCH,
            help="the most orders a transaction (default: %(default)s); fewer if they take long",
        )

    def handle(self, **options: Any) -> None:
        """Expires, then prints one line."""
        done = expire_overdue(at=options["at"] or timezone.now(), batch=options["batch"])
        self.stdout.write(
            f"Orders expired: {done.orders:,}. Batches: {done.batches:,}."
            f" Slowest batch: {done.longest:.2f} s."
        )
