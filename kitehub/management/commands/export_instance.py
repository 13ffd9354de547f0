"""`manage.py export_instance`: an instance's rows in one file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser, no_translations

from kitehub.management.arguments import instance_named
from kitehub.management.instances import MENDABLE, InstanceCommand, line
from kitehub.workflows import export_instance


class Command(InstanceCommand):
    """Writes the archive and says what is in it."""

    help = "Writes an instance's rows to a zip file, which import_instance reads."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which instance, and to which file."""
        parser.add_argument("instance", metavar="SUBDOMAIN_OR_UUID")
        parser.add_argument(
            "--to", required=True, type=Path, metavar="FILE.zip", help="a file that isn't there yet"
        )
        self.add_json(parser)

    @no_translations  # commands speak English
    def handle(self, *args: Any, **options: Any) -> None:
        """Writes it."""
        instance = instance_named(options["instance"], deleted=True)
        path = options["to"].absolute()
        if path.suffix != ".zip":
            raise CommandError(f"{path.name}: an archive is a .zip file.")
        try:
            done = export_instance(instance, to=path, progress=self.watcher())
        except MENDABLE as error:
            raise CommandError(line(error)) from error
        said = done.manifest
        self.say(
            options,
            f"{instance.subdomain}: {said.rows:,} rows of {len(said.files)} tables are in {path}"
            f" ({done.size:,} bytes).",
            {
                "instance": instance.id,
                "subdomain": instance.subdomain,
                "path": path,
                "bytes": done.size,
                "sha256": done.sha256,
                "schema": said.schema,
                "snapshots": said.snapshots,
                "rows": {file.table: file.rows for file in said.files},
            },
        )
