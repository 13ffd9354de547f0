"""`manage.py demo`: fills the database with believable schools."""

import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError
from django.utils import timezone
from psycopg.errors import UndefinedColumn, UndefinedTable

from kitehub.demo import DEFAULT_SEED, DemoRefused, load
from kitehub.demo.moments import VIETNAM
from kitehub.workflows.watching import watch_instances

# Half a year before and a little after must still be dates that PostgreSQL and Python know.
YEARS = range(1990, 2101)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no ISO moment such as 2026-01-30T20:15") from None
    if moment.year not in YEARS:
        raise ArgumentTypeError(f"{text!r} is not between {YEARS[0]} and {YEARS[-1]}")
    return moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)


class Command(BaseCommand):
    """Loads the demo, or says in one line why not."""

    help = "Fills the database with believable Vietnamese schools and half a year of their life."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The moment that counts as now, the seed, and leave to add to other data."""
        parser.add_argument(
            "--at",
            type=_moment,
            help="the moment that counts as now, ISO; Vietnamese time where no offset is given",
        )
        parser.add_argument(
            "--seed", type=int, default=DEFAULT_SEED, help="another number makes other people"
        )
        parser.add_argument(
            "--force", action="store_true", help="add the demo to a database that has other data"
        )
        parser.add_argument(
            "--no-silos",
            action="store_true",
            help="keep all schools in the pool; else two get databases of their own, if the role "
            "may make some",
        )

    def handle(self, **options: Any) -> None:
        """Loads the demo and says what each step wrote."""
        at = options["at"] or timezone.now()
        started = time.monotonic()
        try:
            counts = load(
                at=at,
                seed=options["seed"],
                force=options["force"],
                own_databases=not options["no_silos"],
                report=self.stdout.write,
            )
        except DemoRefused as error:
            raise CommandError(str(error)) from None
        except ProgrammingError as error:
            if isinstance(error.__cause__, UndefinedTable | UndefinedColumn):
                raise CommandError(
                    "The database lacks tables of this version: run manage.py migrate first."
                ) from None
            raise
        if counts.total:
            watch_instances(at=at)  # What an hourly duty would have seen, for the dashboard.
            seconds = time.monotonic() - started
            self.stdout.write(
                f"{counts.total:,} rows in {seconds:.1f} s, as of "
                f"{at.astimezone(VIETNAM):%d/%m/%Y %H:%M} Vietnamese time."
            )
