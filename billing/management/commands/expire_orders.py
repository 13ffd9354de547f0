"""`manage.py expire_orders`: expires payment orders whose time is up."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from billing.services import EXPIRY_BATCH, expire_overdue


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no ISO moment such as 2026-01-30T20:15") from None
    return moment if moment.tzinfo else timezone.make_aware(moment)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


class Command(BaseCommand):
    """Runs the service and says what it did."""

    help = "Expires pending payment orders whose time is up. Safe to kill and to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The moment that counts as now, and the size of a batch."""
        parser.add_argument(
            "--at",
            type=_moment,
            help="the moment that counts as now, ISO; Vietnamese time where no offset is given",
        )
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
