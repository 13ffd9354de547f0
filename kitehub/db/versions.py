"""The schema's versions V0, V1, … and the migrations that make each.

A migration's version is the number in its name (`0002_v6_subscriptions` is V6). One without a
number, also one of Django's own, belongs to the latest version that it depends on, and to V0 if
there is none: V0 is what the plan takes for granted, people and Django's tables, and the queue of
background jobs, which needs nothing of the plan's.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

# The user's plan, which Flyway ran before; later versions are this project's alone.
PLAN = range(1, 9)

MigrationKey = tuple[str, str]

_NUMBER = re.compile(r"_v(\d+)(?:_(\w+))?$")


def label(number: int) -> str:
    """A version as people write it: V5."""
    return f"V{number}"


@dataclass(frozen=True)
class Step:
    """One version, with its migrations in the order that they run."""

    number: int
    description: str
    migrations: tuple[MigrationKey, ...]

    def __str__(self) -> str:
        return label(self.number)

    def applied(self, recorded: Collection[MigrationKey]) -> tuple[MigrationKey, ...]:
        """Those of its migrations that are recorded as applied."""
        return tuple(key for key in self.migrations if key in recorded)


class Versions:
    """The migrations in the code, by version. What is recorded in the database plays no part."""

    def __init__(self, loader: MigrationLoader) -> None:
        self._graph = loader.graph

    @cached_property
    def order(self) -> tuple[MigrationKey, ...]:
        """All migrations in the order that they run on an empty database."""
        leaves = self._graph.leaf_nodes()
        return tuple(
            dict.fromkeys(key for leaf in leaves for key in self._graph.forwards_plan(leaf))
        )

    @cached_property
    def of(self) -> Mapping[MigrationKey, int]:
        """The version of each migration."""
        numbers: dict[MigrationKey, int] = {}
        for key in self.order:
            named = _NUMBER.search(key[1])
            parents = self._graph.node_map[key].parents
            inherited = max((numbers[parent.key] for parent in parents), default=0)
            numbers[key] = int(named[1]) if named else inherited
        return numbers

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every version, V0 first."""
        return tuple(
            Step(number, self._description(keys), keys)
            for number in sorted({0, *self.of.values()})
            if (keys := tuple(key for key in self.order if self.of[key] == number)) or not number
        )

    @property
    def newest(self) -> int:
        """The number of the last version."""
        return self.steps[-1].number

    def up_to(self, number: int) -> tuple[MigrationKey, ...]:
        """The migrations of a version and of all before it, in the order that they run."""
        return tuple(key for key in self.order if self.of[key] <= number)

    def needed_by(self, keys: Iterable[MigrationKey]) -> tuple[MigrationKey, ...]:
        """The migrations and all that they depend on, in the order that they run."""
        needed = {each for key in keys for each in self._graph.forwards_plan(key)}
        return tuple(key for key in self.order if key in needed)

    def migration(self, key: MigrationKey) -> Migration:
        """The migration itself."""
        migration: Migration = self._graph.nodes[key]
        return migration

    @staticmethod
    def _description(keys: Iterable[MigrationKey]) -> str:
        found = [_NUMBER.search(name) for _, name in keys]
        words = dict.fromkeys(each[2].replace("_", " ") for each in found if each and each[2])
        return ", ".join(words) or "people, jobs and Django's own tables"
