"""`manage.py migrate`, which comes one at a time and looks before it starts."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as DjangoCommand
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.checks import is_for_development
from kitehub.db import gates, locks
from kitehub.management.arguments import add_lock_timeout
from kitehub.management.schema import live, obstacles
from kitehub.management.schema.outcome import Refused

# These write nothing, or only records.
_HARMLESS = ("plan", "check_unapplied", "fake", "prune")


class Command(DjangoCommand):
    """Django's command, which waits for another one at work and never queues long for a table.

    It refuses, having done nothing, a database that Flyway built and one in which something stands
    in the way of a migration.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's arguments and --lock-timeout."""
        super().add_arguments(parser)
        add_lock_timeout(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrates; the connection's own timeout comes back afterwards."""
        if any(options.get(name) for name in _HARMLESS):
            super().handle(*args, **options)
            return
        connection = connections[options["database"]]
        with (
            locks.turn(connection, locks.SCHEMA, self._say_that_it_waits),
            locks.patience(connection, options["lock_timeout"]),
            gates.passing(connection),
        ):
            self._refuse_obstacles(connection, options["app_label"], options["migration_name"])
            if options["verbosity"]:
                self._warn_of_the_development_key()
            try:
                super().handle(*args, **options)
            except Error:
                self.stdout.write("")  # the line that says which migration was at work is open
                raise

    def _refuse_obstacles(
        self, connection: BaseDatabaseWrapper, app: str | None, name: str | None
    ) -> None:
        try:
            found = live.read(connection)
            wanted = [
                key
                for key in found.versions.order
                if (not app or key[0] == app) and (not name or key[1].startswith(name))
            ]
            needed = found.versions.needed_by(wanted)
            obstacles.refuse_obstacles(found, [key for key in found.pending if key in needed])
        except Refused as error:
            for detail in error.details:
                self.stdout.write(f"  {detail}")
            raise CommandError(str(error), returncode=error.code) from error

    def _warn_of_the_development_key(self) -> None:
        if settings.DEBUG_IS_ASSUMED and any(map(is_for_development, settings.KITEHUB_FIELD_KEYS)):
            self.stdout.write(
                "KITEHUB_FIELD_KEYS is not set: passwords are encrypted with the development key, "
                "which everybody knows. Set it, or DJANGO_DEBUG=on if this is for development."
            )

    def _say_that_it_waits(self) -> None:
        self.stdout.write("Another command is changing this database's schema; waiting for it.")
        self.stdout.flush()
