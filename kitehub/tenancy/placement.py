"""Which database an instance's tables live in, as the address in its row says.

The *pool* is the platform's own database, which has the tenants' tables too. Every other address is
a *silo*, also where several instances share it. An address without a host means the platform's own
server.
"""

import threading
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Protocol
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.translation import gettext_noop as noop

from kitehub.db.addresses import ENGINE, configuration
from kitehub.db.secrets import Secret
from kitehub.db.sentences import Sentence
from kitehub.db.servers import Server

POOL = DEFAULT_DB_ALIAS
_PREFIX = "silo_"
# The group role that silos' tables belong to, on every server that silos are made on.
OWNERS = "kitehub_tenants"
# How long a connection may be idle before it is closed; a request ends it earlier only if it broke.
MAX_AGE_SECONDS = 60
# How long to wait for a silo's server, unless its address says otherwise (`?connect_timeout=…`).
CONNECT_SECONDS = 5


class Placed(Protocol):
    """What tells where an instance lives: its row, or anything with these columns."""

    id: UUID
    database_url: str
    database_username: str
    database_password: Secret


class BadPlacement(ImproperlyConfigured):
    """An instance's address is none; says whose, and never a password."""


def pool_url() -> str:
    """The address of the platform's own database, the pool, without user or password."""
    settings = connections[POOL].settings_dict
    host, port = settings.get("HOST") or "", settings.get("PORT") or ""
    # The embedded server's host is a socket's folder of one machine, no address to keep.
    address = "" if host.startswith("/") else f"{host}:{port}" if port else host
    return f"postgres://{address}/{settings['NAME']}"


def alias_of(instance: Placed) -> str:
    """The connection alias of an instance's database, made if it is a new one.

    Raises BadPlacement where the row's address can't be read.
    """
    place = _place(instance.database_url, instance)
    if _same(place, _place(pool_url(), instance)):
        return POOL
    user = instance.database_username or place["USER"]
    named = [place["HOST"], place["PORT"], place["NAME"], user, sorted(_options(place).items())]
    alias = _PREFIX + blake2b(repr(named).encode(), digest_size=8).hexdigest()
    password = instance.database_password
    if not password and user == place["USER"] and place["PASSWORD"]:
        # As people write addresses; the column of its own is the one that is encrypted.
        password = Secret(place["PASSWORD"])
    if alias not in connections.settings:
        _declare(alias, place, user, password)
    # The row may have a new password; it is decrypted only to connect.
    connections.settings[alias]["SECRET"] = password
    return alias


def alias_at(name: str, server: Server | None = None) -> str:
    """The alias of a database on a server, as the role that administers it.

    None is the platform's own server, and the platform's role.
    """
    alias = f"{_PREFIX}{server.name}:{name}" if server else _PREFIX + name
    if server:
        _configure(alias, {**server.admin, "NAME": name})
    elif alias not in connections.settings:
        _declare(alias, {"HOST": "", "NAME": name}, "", None)
    return alias


def address_of(instance: Placed) -> dict[str, Any]:
    """An instance's address as an entry of DATABASES; raises BadPlacement."""
    return _place(instance.database_url, instance)


def database_of(instance: Placed) -> str:
    """The name of an instance's database on its server; raises BadPlacement."""
    name: str = address_of(instance)["NAME"]
    return name


def same_database(one: Placed, other: Placed) -> bool:
    """Whether two instances live in one database, by whatever role; raises BadPlacement."""
    return _same(_place(one.database_url, one), _place(other.database_url, other))


def silo_name(instance_id: UUID) -> str:
    """What the database and the role of an instance's own silo are called.

    Not by the subdomain, which may change.
    """
    return f"kitehub_{instance_id.hex}"


def is_provisioned(instance: Placed) -> bool:
    """Whether an instance's database is one that KiteHub made for it on the platform's server."""
    place = _place(instance.database_url, instance)
    user = instance.database_username
    return not place["HOST"] and user.startswith("kitehub_") and user == place["NAME"]


def is_silo(alias: str) -> bool:
    """Whether a connection alias is that of a silo, which has the tenants' tables only."""
    return alias.startswith(_PREFIX)


def _place(url: str, instance: Placed) -> dict[str, Any]:
    try:
        return _parsed(url)
    except ImproperlyConfigured as error:
        raise BadPlacement(
            Sentence(
                noop("Instance %(instance)s: %(error)s"),
                instance=instance.id,
                error=error,
            )
        ) from None


# Every `use` asks, and parsing takes as long as a short query.
@lru_cache(maxsize=4096)
def _parsed(url: str) -> dict[str, Any]:
    # Flyway's applications wrote addresses for JDBC.
    return configuration(url.removeprefix("jdbc:"), named="database_url")


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return _where(one) == _where(other)


def _where(place: dict[str, Any]) -> tuple[str, str, str]:
    host = place["HOST"]
    return host, str(place["PORT"] or ("5432" if host else "")), place["NAME"]


def _options(place: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = place.get("OPTIONS") or {}
    return options


# Threads declare aliases while others walk over them, as Django does with every request.
_declaring = threading.Lock()


def _declare(alias: str, place: dict[str, Any], user: str, password: Secret | None) -> None:
    """Adds an alias for all threads; the connection itself is each thread's own."""
    if place["HOST"]:
        # Else a host that swallows packets would keep a request for two minutes.
        options = {"connect_timeout": CONNECT_SECONDS, **place.get("OPTIONS", {})}
        found = {**place, "ENGINE": ENGINE, "USER": user, "PASSWORD": "", "OPTIONS": options}
    else:
        pool = connections.settings[POOL]
        kept = ("ENGINE", "HOST", "PORT", "OPTIONS") + (() if user else ("USER", "PASSWORD"))
        found = {key: pool[key] for key in kept if key in pool}
        # An embedded server's project database is made on first use; a silo never is.
        found |= {"NAME": place["NAME"], "PROJECT_NAME": ""}
        if user:
            # The role that the platform acts as is none of the silo's own.
            options = {**_options(pool), **_options(place)}
            options.pop("assume_role", None)
            found |= {"USER": user, "PASSWORD": "", "OPTIONS": options}
    _configure(alias, {**found, "SECRET": password})


def _configure(alias: str, entry: dict[str, Any]) -> None:
    found = {
        **entry,
        "CONN_MAX_AGE": MAX_AGE_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        # A pooler in transaction mode would lose them.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
    with _declaring:
        # Fills in Django's defaults; it wants to see a default database among them.
        connections.configure_settings({POOL: connections.settings[POOL], alias: found})
        connections.settings = {**connections.settings, alias: found}


def undeclare(alias: str) -> None:
    """Drops the alias of a silo that no instance lives in."""
    with _declaring:
        rest = {name: found for name, found in connections.settings.items() if name != alias}
        connections.settings = rest
