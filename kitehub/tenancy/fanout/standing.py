"""How far a database's schema has come, from the migrations that it has recorded."""

from dataclasses import dataclass

from kitehub.db.versions import MigrationKey, Versions, label
from kitehub.tenancy.fanout.plans import STATES, loader_with


@dataclass(frozen=True)
class Reached:
    """The last version that is there with all before it, "" for none, and what is missing."""

    version: str
    missing: tuple[MigrationKey, ...]


def reached(have: frozenset[MigrationKey]) -> Reached:
    """How far a database has come that has these migrations recorded; asks no database."""
    with STATES:
        loader = loader_with(have)
    version = ""
    versions = Versions(loader)
    for step in versions.steps:
        if len(step.applied(have)) == len(step.migrations):
            version = label(step.number)
        elif step.number:
            # What is missing of V0 doesn't count against a later one.
            break
    return Reached(version, tuple(key for key in versions.order if key not in have))


def newest() -> str:
    """The version that the code's migrations make."""
    with STATES:
        return label(Versions(loader_with(())).newest)
