"""`manage.py watch_instances`: look into every instance's database, and keep what is seen."""

from typing import Any

from django.core.management.base import BaseCommand

from kitehub import workflows


class Command(BaseCommand):
    """Looks into the pool and every silo; for cron."""

    help = (
        "Notes each instance's storage, its database's schema, and whether it can be read. A silo "
        "that can't be is noted as such, and is no error of this command."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Looks, and says how many there were."""
        seen = workflows.watch_instances()
        self.stdout.write(f"Looked at: {seen.looked}. Unreachable: {len(seen.unreachable)}.")
        for key in seen.unreachable:
            self.stdout.write(f"  {key}")
