"""`manage.py import_instance`: an archived instance comes back, whole or not at all."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser, no_translations

from kitehub.management.instances import MENDABLE, InstanceCommand, line
from kitehub.models import User
from kitehub.workflows import import_instance

ACTOR = "manage.py import_instance"


class Command(InstanceCommand):
    """Verifies the archive, then brings in all of its rows."""

    help = "Brings an instance back from a file of export_instance, under its own id."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which file, and what shall be other than it was."""
        parser.add_argument("file", type=Path, metavar="FILE.zip")
        parser.add_argument("--as", dest="subdomain", default="", help="another subdomain")
        parser.add_argument(
            "--owner", metavar="EMAIL", help="who owns it, rather than who did when it was archived"
        )
        parser.add_argument(
            "--silo", action="store_true", help="a database of its own rather than the pool"
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="verify the file, for the pool also load it, and keep nothing",
        )
        self.add_json(parser)

    @no_translations  # commands speak English
    def handle(self, *args: Any, **options: Any) -> None:
        """Brings it in and says what came."""
        owner = None
        if options["owner"]:
            owner = User.objects.filter(email=options["owner"]).first()
            if owner is None:
                raise CommandError(f"Nobody has the e-mail address {options['owner']}.")
        try:
            said = import_instance(
                options["file"],
                subdomain=options["subdomain"],
                owner=owner,
                silo=options["silo"],
                dry_run=options["dry_run"],
                actor=ACTOR,
                progress=self.watcher(),
            )
        except ValidationError as error:
            raise CommandError(f"{options['subdomain']}: {' '.join(error.messages)}") from error
        except MENDABLE as error:
            raise CommandError(line(error)) from error
        name = options["subdomain"] or said.subdomain
        done = "could be imported; nothing was kept" if options["dry_run"] else "imported"
        self.say(
            options,
            f"{name} ({said.instance_id}): {said.rows:,} rows of {len(said.files)} tables {done}.",
            {
                "instance": said.instance_id,
                "subdomain": name,
                "dry_run": options["dry_run"],
                "rows": {file.table: file.rows for file in said.files},
            },
        )
