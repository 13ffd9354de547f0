"""`manage.py fold_figures`: adds what has happened to the figures of its days."""

from typing import Any

from django.core.management.base import BaseCommand

from billing.services import figures


class Command(BaseCommand):
    """Runs the service and says what it did."""

    help = "Adds what has happened to the figures of its days. No figure changes by it."

    def handle(self, **options: Any) -> None:
        """Folds, then prints one line."""
        self.stdout.write(f"Folded: {figures.fold_figures():,}.")
