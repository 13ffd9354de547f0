"""Which database an instance's tables live in, as the address in its row says.

The *pool* is the platform's own database, which has the tenants' tables too. Every other address is
a *silo*, also where several instances share it. An address without a host means the platform's own
server.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Any, Protocol
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections

from kitehub.db.addresses import ENGINE, configuration
from kitehub.db.secrets import Secret

POOL = DEFAULT_DB_ALIAS
_PREFIX = "silo_"
# How long a connection may be idle before it is closed; a request ends it earlier only if it broke.
MAX_AGE_SECONDS = 60


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
    named = f"{place['HOST']}\n{place['PORT']}\n{place['NAME']}\n{user}"
    alias = _PREFIX + blake2b(named.encode(), digest_size=8).hexdigest()
    if alias not in connections.settings:
        _declare(alias, place, user)
    # The row may have a new password; it is decrypted only to connect.
    connections.settings[alias]["SECRET"] = instance.database_password
    return alias


def alias_at(name: str) -> str:
    """The alias of a database on the platform's own server, as the platform's own role."""
    alias = _PREFIX + name
    if alias not in connections.settings:
        _declare(alias, {"HOST": "", "NAME": name}, "")
    return alias


def database_of(instance: Placed) -> str:
    """The name of an instance's database on its server; raises BadPlacement."""
    name: str = _place(instance.database_url, instance)["NAME"]
    return name


def same_database(one: Placed, other: Placed) -> bool:
    """Whether two instances live in one database, by whatever role; raises BadPlacement."""
    return _same(_place(one.database_url, one), _place(other.database_url, other))


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
        raise BadPlacement(f"Instance {instance.id}: {error}") from None


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


def _declare(alias: str, place: dict[str, Any], user: str) -> None:
    """Adds an alias for all threads; the connection itself is each thread's own."""
    if place["HOST"]:
        found = {**place, "ENGINE": ENGINE, "USER": user, "PASSWORD": ""}
    else:
        # An embedded server's project database is made on first use; a silo never is.
        own = {"NAME": place["NAME"], "PROJECT_NAME": ""}
        kept = ("ENGINE", "HOST", "PORT", "OPTIONS") + (() if user else ("USER", "PASSWORD"))
        pool = connections.settings[POOL]
        found = {**{key: pool[key] for key in kept if key in pool}, **own}
        if user:
            found |= {"USER": user, "PASSWORD": ""}
    found = {
        **found,
        "CONN_MAX_AGE": MAX_AGE_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        # A pooler in transaction mode would lose them.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
    # Fills in Django's defaults; it wants to see a default database among them.
    connections.configure_settings({POOL: connections.settings[POOL], alias: found})
    connections.settings[alias] = found
