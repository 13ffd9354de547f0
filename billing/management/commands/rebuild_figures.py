"""`manage.py rebuild_figures`: counts the figures anew and mends what differs."""

from typing import Any

from django.core.management.base import BaseCommand

from billing.services import figures


class Command(BaseCommand):
    """Runs the service and says what it did."""

    help = (
        "Counts the daily figures anew from orders, refunds and the history of subscriptions, and "
        "mends what differs, while others go on booking. Needed only where rows were written past "
        "the triggers; check_invariants says so."
    )

    def handle(self, **options: Any) -> None:
        """Counts, then prints one line."""
        self.stdout.write(f"Figures mended: {figures.rebuild_figures():,}.")
