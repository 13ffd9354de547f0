"""`manage.py suspend_instance`: refuses an instance's writes until somebody resumes it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser, no_translations

from kitehub.management.arguments import add_instance, instance_named
from kitehub.management.moves import one_line
from kitehub.workflows import suspend

ACTOR = "manage.py suspend_instance"


class Command(BaseCommand):
    """Suspends an instance; safe to repeat."""

    help = "Suspends an instance: its writes are refused, its silo's connections ended."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which instance, and why."""
        add_instance(parser)
        parser.add_argument("--reason", required=True, help="kept in the history")

    @no_translations  # commands speak English
    def handle(self, *args: Any, **options: Any) -> None:
        """Suspends it and says so."""
        instance = instance_named(options["instance"])
        with one_line(instance):
            new = suspend(instance_id=instance.pk, reason=options["reason"], actor=ACTOR)
        self.stdout.write(
            f"{instance.subdomain} is suspended"
            + (f"; it was {instance.status}." if new else " already; its gate is closed.")
        )
