"""Several silos of a test's own, at the newest migration that the code has."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connections

from kitehub.models import Instance
from kitehub.tenancy.fanout import Fanout, Result, Silo, gather
from tests.kitehub.tenancy.conftest import database, living_in


class Fleet:
    """Silos, each with a school that nobody saved."""

    def __init__(self, names: list[str]) -> None:
        self.schools = [living_in(name) for name in names]
        self.silos, _ = gather((school.subdomain, school) for school in self.schools)

    def migrate(self, *, silos: list[Silo] | None = None, **options: Any) -> list[Result]:
        """Runs the fan-out in two threads; the results come in the order of the silos."""
        return Fanout(**{"jobs": 2, **options}).run(silos or self.silos)

    def execute(self, number: int, sql: str) -> list[tuple[Any, ...]]:
        """Runs SQL in one silo, on a connection of its own."""
        alias = self.silos[number].alias

        def work() -> list[tuple[Any, ...]]:
            try:
                with connections[alias].cursor() as cursor:
                    cursor.execute(sql)
                    return cursor.fetchall() if cursor.description else []
            finally:
                connections.close_all()

        # pytest-django forbids the main thread what a test hasn't named.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(work).result()

    def values(self, sql: str) -> list[Any]:
        """The one value of a query in each silo."""
        return [self.execute(number, sql)[0][0] for number in range(len(self.silos))]

    def recorded(self, number: int = 0) -> set[tuple[str, str]]:
        """What a silo has in django_migrations."""
        rows = self.execute(number, "SELECT app, name FROM django_migrations")
        return {(app, name) for app, name in rows}

    def forget(self, *columns: str) -> None:
        """Undoes what later migrations did to storage_usage, and what is recorded of them."""
        drops = (f"ALTER TABLE storage_usage DROP COLUMN IF EXISTS {column}" for column in columns)
        sql = ["DELETE FROM django_migrations WHERE name LIKE '900%'", *drops]
        for number in range(len(self.silos)):
            self.execute(number, ";".join(sql))


@contextmanager
def fleet(template: str, count: int) -> Iterator[Fleet]:
    """So many copies of a database."""
    with ExitStack() as stack:
        yield Fleet([stack.enter_context(database(template)) for _ in range(count)])


def saved(school: Instance) -> Instance:
    """The school, and its owner, as rows of the platform."""
    school.owner.save()
    school.save()
    return school
