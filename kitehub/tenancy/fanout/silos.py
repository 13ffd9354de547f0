"""The databases beside the pool, each once, however many instances share it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connections

from kitehub.tenancy.placement import POOL, BadPlacement, Placed, alias_of, is_silo


@dataclass(frozen=True)
class Silo:
    """A database of tenants' tables, by its connection alias.

    `address` is for people: server and database, without user or password. `tenants` are the names
    of those who live there.
    """

    alias: str
    address: str
    tenants: tuple[str, ...]


@dataclass(frozen=True)
class Misplaced:
    """An instance whose address can't be read, and why."""

    tenant: str
    error: BadPlacement


def gather(named: Iterable[tuple[str, Placed]]) -> tuple[list[Silo], list[Misplaced]]:
    """The silos of instances, in the order that they come in; those in the pool are left out.

    Where instances give the same database with different users, the first one's is taken.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    misplaced = []
    for name, instance in named:
        try:
            alias = alias_of(instance)
        except BadPlacement as error:
            misplaced.append(Misplaced(name, error))
            continue
        if is_silo(alias):
            found.setdefault(_address(alias), (alias, []))[1].append(name)
    return [
        Silo(alias, address, tuple(names)) for address, (alias, names) in found.items()
    ], misplaced


def _address(alias: str) -> str:
    place = connections.settings[alias]
    host, name = place.get("HOST") or "", str(place["NAME"])
    # The platform's own socket says nothing to people.
    if not host or (host.startswith("/") and host == connections.settings[POOL].get("HOST")):
        return name
    return f"{host}:{place.get('PORT') or 5432}/{name}"
