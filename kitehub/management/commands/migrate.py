"""`manage.py migrate`, which gives up rather than queue behind a long transaction."""

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands.migrate import Command as DjangoCommand
from django.db import connections


class Command(DjangoCommand):
    """Django's command, with `lock_timeout` set while it runs."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's arguments and --lock-timeout."""
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-timeout",
            default="5s",
            help=(
                "Give up when a table stays locked by others for longer than this, because all"
                " who come after would wait behind the migration. 0 waits for ever. Default: 5s."
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrates; the connection's own timeout comes back afterwards."""
        connection = connections[options["database"]]
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout')")
            before = cursor.fetchone()[0]
            cursor.execute(
                "SELECT set_config('lock_timeout', %s, false)", [options["lock_timeout"]]
            )
        try:
            super().handle(*args, **options)
        finally:
            if connection.is_usable():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('lock_timeout', %s, false)", [before])
