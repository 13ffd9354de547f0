"""`manage.py deprovision_due`: drops the data of closed schools whose grace time is over."""

from typing import Any

import psycopg
from django.core.management.base import CommandError, CommandParser, no_translations
from django.db import DatabaseError
from django.utils import timezone

from kitehub import workflows
from kitehub.db.errors import explain
from kitehub.management.commands.deprovision_instance import as_json
from kitehub.management.instances import MENDABLE, InstanceCommand, line, moment
from kitehub.models import Tombstone

ACTOR = "manage.py deprovision_due"


class Command(InstanceCommand):
    """Drops what is due, each school by itself."""

    help = (
        "Drops the data of closed schools whose grace time is over, if their archives have every"
        " row. What can't be dropped is said, and the rest go on. Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """As of when."""
        parser.add_argument(
            "--at", type=moment, metavar="MOMENT", help="what is due by then (default: now)"
        )
        self.add_json(parser)

    @no_translations  # commands speak English
    def handle(self, *args: Any, **options: Any) -> None:
        """Goes through them, and ends with 1 where one failed."""
        at = options["at"] or timezone.now()
        due = list(Tombstone.objects.due(at=at).select_related("instance"))
        failures: dict[str, str] = {}
        lines = []
        for tombstone in due:
            name = tombstone.instance.subdomain if tombstone.instance else str(tombstone)
            try:
                done = workflows.drop_deprovisioned(
                    tombstone, actor=ACTOR, at=at, progress=self.watcher()
                )
            except (*MENDABLE, psycopg.Error, DatabaseError) as error:
                failures[name] = explain(error) or line(error)
                lines.append(f"{name}: FAILED: {failures[name]}")
            else:
                what = f"with its database {done.database}" if done.database else "from its tables"
                lines.append(f"{name}: {done.rows:,} rows are gone {what}.")
        lines.append(f"{len(due) - len(failures):,} of {len(due):,} closed schools were dropped.")
        self.say(
            options,
            "\n".join(lines),
            {
                "dropped": [as_json(each) for each in due if each.dropped_at],
                "failed": failures,
            },
        )
        if failures:
            raise CommandError(f"{len(failures):,} of {len(due):,} failed.")
