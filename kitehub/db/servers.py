"""The PostgreSQL servers that schools may have databases on, as KITEHUB_SILO_SERVERS says.

`b=postgres://admin:password@db2:5432/postgres,c=…`, or the same as a JSON object.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

from kitehub.db.addresses import configuration

SETTING = "KITEHUB_SILO_SERVERS"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
# A comma in an address stays in it, unless a name and an address follow.
_BETWEEN = re.compile(r"\s*,\s*(?=[^,=/?@]*=\s*[a-z]+://)")
# What a school's own connection shares with the administrator's: all but who somebody is.
_ABOUT_THE_SERVER = re.compile(
    r"(sslmode|sslrootcert|sslcrl|sslcrldir|sslnegotiation|ssl_(min|max)_protocol_version"
    r"|gssencmode|channel_binding|hostaddr|connect_timeout|tcp_user_timeout|keepalives\w*)="
)


@dataclass(frozen=True)
class Server:
    """A server and the role that administers it; printed, it shows no password.

    `admin` is an entry of DATABASES.
    """

    name: str
    admin: dict[str, Any] = field(repr=False)
    _netloc: str
    _query: str

    @property
    def place(self) -> tuple[str, str]:
        """Host and port."""
        return self.admin["HOST"], str(self.admin["PORT"] or 5432)

    def database_url(self, database: str) -> str:
        """The address of a database on it, without user or password."""
        return urlunsplit(("postgres", self._netloc, f"/{database}", self._query, ""))


def servers(text: str) -> dict[str, Server]:
    """The servers by name; none where the text is blank.

    Raises ImproperlyConfigured, without any part of a password.
    """
    found: dict[str, Server] = {}
    for name, address in _pairs(text.strip()):
        if not _NAME.fullmatch(name):
            raise ImproperlyConfigured(
                f"{SETTING}: a server's name is of small letters a to z, digits and hyphens, and "
                "stands before its address: b=postgres://admin:password@db2:5432/postgres."
            )
        if name in found:
            raise ImproperlyConfigured(f"{SETTING} names the server {name} twice.")
        found[name] = _server(name, address)
    _refuse_twins(found)
    return found


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    if text.startswith("{"):
        try:
            told = json.loads(text, object_pairs_hook=list)
        except ValueError:
            # The parser's own words may quote a password.
            raise ImproperlyConfigured(f"{SETTING} begins like JSON and is none.") from None
        if not all(isinstance(address, str) for _, address in told):
            raise ImproperlyConfigured(f"{SETTING}: each name must have an address, a text.")
        yield from told
    elif text:
        for part in _BETWEEN.split(text.removesuffix(",")):
            name, _, address = part.partition("=")
            # Without a sign before the address, the name would be part of it.
            yield ("", "") if "/" in name else (name.strip(), address.strip())


def _server(name: str, address: str) -> Server:
    admin = configuration(address, named=f"{SETTING}: the address of {name}")
    if not admin["HOST"]:
        raise ImproperlyConfigured(
            f"{SETTING}: the address of {name} has no host. Without a server's name, databases are "
            "made on the platform's own server."
        )
    parts = urlsplit(address)
    query = "&".join(part for part in parts.query.split("&") if _ABOUT_THE_SERVER.match(part))
    return Server(name, admin, parts.netloc.rpartition("@")[2], query)


def _refuse_twins(found: dict[str, Server]) -> None:
    names: dict[tuple[str, str], str] = {}
    for name, server in found.items():
        if (other := names.setdefault(server.place, name)) != name:
            raise ImproperlyConfigured(f"{SETTING}: {other} and {name} are the same server.")
