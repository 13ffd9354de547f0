"""`manage.py resume_instance`: gives an instance back the state it had before it was suspended."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser, no_translations

from kitehub.management.arguments import add_instance, instance_named
from kitehub.management.moves import one_line
from kitehub.workflows import resume

ACTOR = "manage.py resume_instance"


class Command(BaseCommand):
    """Resumes an instance; safe to repeat."""

    help = "Resumes a suspended instance, in the state that it had before."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which instance, and why."""
        add_instance(parser)
        parser.add_argument("--reason", default="", help="kept in the history")

    @no_translations  # commands speak English
    def handle(self, *args: Any, **options: Any) -> None:
        """Resumes it and says in which state it is."""
        instance = instance_named(options["instance"])
        with one_line(instance):
            was = resume(instance_id=instance.pk, reason=options["reason"], actor=ACTOR)
        instance.refresh_from_db()
        self.stdout.write(
            f"{instance.subdomain} is {instance.status}"
            + (" again." if was else "; it was not suspended.")
        )
