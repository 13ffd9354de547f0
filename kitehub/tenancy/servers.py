"""The servers that silos are made on: the platform's own, and those that the settings name."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.translation import gettext_noop as noop

from kitehub.db.sentences import Sentence
from kitehub.db.servers import SETTING, Server
from kitehub.tenancy.placement import POOL, BadPlacement, Placed, address_of

# The name of the platform's own server.
OWN = ""


class UnknownServer(ImproperlyConfigured):
    """The settings name no such server; says which they name."""


def server(name: str) -> Server | None:
    """The server of that name; None is the platform's own. Raises UnknownServer."""
    known: dict[str, Server] = settings.KITEHUB_SILO_SERVERS
    if name == OWN:
        return None
    if name not in known:
        if not known:
            message = noop("There is no server %(name)s: %(setting)s names none.")
        else:
            message = noop("There is no server %(name)s: %(setting)s names %(known)s.")
        raise UnknownServer(
            Sentence(message, name=name, setting=SETTING, known=", ".join(sorted(known)))
        )
    return known[name]


def silo_url(server_name: str, database: str) -> str:
    """The address of a database on a server, as an instance's row has it. Raises UnknownServer."""
    found = server(server_name)
    return found.database_url(database) if found else f"postgres:///{database}"


def server_of(instance: Placed) -> str:
    """The name of the server that an instance's address leads to, OWN for the platform's.

    Raises BadPlacement where the address can't be read, or leads to a server that isn't named.
    """
    place = address_of(instance)
    host, port = place["HOST"], str(place["PORT"] or 5432)
    pool = connections.settings[POOL]
    if not host or (host, port) == (pool.get("HOST"), str(pool.get("PORT") or 5432)):
        return OWN
    for found in settings.KITEHUB_SILO_SERVERS.values():
        if found.place == (host, port):
            return str(found.name)
    raise BadPlacement(
        Sentence(
            noop("Instance %(instance)s lives on %(server)s, which %(setting)s has no name for."),
            instance=instance.id,
            server=f"{host}:{port}",
            setting=SETTING,
        )
    )
