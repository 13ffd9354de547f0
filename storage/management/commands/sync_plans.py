"""`manage.py sync_plans`: the tiers' storage limits in every database. See docs/settings.md."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from kitehub.db.errors import explain
from kitehub.models import Instance
from kitehub.services.configs import forget_copies
from kitehub.tenancy import POOL
from kitehub.tenancy.connections import holding
from kitehub.tenancy.fanout import gather
from storage import tiers


class Command(BaseCommand):
    """Goes through the pool and the silos, and says what differed where."""

    help = (
        "Brings the tiers' storage limits in the pool and in every silo to what KITEHUB_PLANS "
        "says; run it after a change. A database that fails is reported and skipped: exit code "
        "1. With --check, exit code 1 says that something differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to change anything."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--check", action="store_true", help="say it, and change nothing")
        which.add_argument(
            "--forget-copies",
            action="store_true",
            help="also take out of configs what they only copied from their tier",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Compares, changes, prints."""
        differ = failed = count = forgotten = 0
        for alias, address in self._databases():
            count += 1
            try:
                found = self._of_one(alias, options["check"])
                if options["forget_copies"]:
                    forgotten += forget_copies(actor="manage.py sync_plans", using=alias)
            except Error as error:
                failed += 1
                self.stderr.write(f"{address}: {explain(error, using=alias) or error}")
                continue
            differ += bool(found)
            for difference in found:
                self.stdout.write(f"{address}: {difference}")
        failed += self._misplaced
        if failed:
            raise CommandError(f"Databases that could not be reached: {failed}.")
        if options["check"] and differ:
            raise CommandError(f"Databases that differ: {differ}. Run manage.py sync_plans.")
        if options["forget_copies"]:
            self.stdout.write(f"Configs whose copies were forgotten: {forgotten}.")
        changed = f", {differ} brought there" if differ else ""
        self.stdout.write(f"As the settings say: {count} of {count} databases{changed}.")

    def _databases(self) -> Iterator[tuple[str, str]]:
        """Alias and name of each, the pool first."""
        yield POOL, "pool"
        instances = Instance.objects.order_by("created_at", "id")
        silos, misplaced = gather((each.subdomain, each) for each in instances)
        self._misplaced = len(misplaced)
        for each in misplaced:
            self.stderr.write(f"{each.tenant}: {each.error}")
        for silo in silos:
            yield silo.alias, silo.address

    @staticmethod
    def _of_one(alias: str, check: bool) -> list[tiers.Difference]:
        look = tiers.differences if check else tiers.sync
        if alias == POOL:
            return look(using=alias)
        with holding(alias):
            return look(using=alias)
