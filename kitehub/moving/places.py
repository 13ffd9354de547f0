"""The databases of a move: what `--to` means, making one, and whether rows may go there."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext_noop as noop
from psycopg import sql

from kitehub import tenancy
from kitehub.db.addresses import configuration
from kitehub.db.secrets import Secret
from kitehub.db.sentences import Sentence
from kitehub.db.servers import SETTING
from kitehub.models import Instance, InstanceMove
from kitehub.tenancy import provisioning, servers
from kitehub.tenancy.placement import silo_name
from kitehub.tenancy.provisioning import Admin

_THE_POOL = Sentence(noop("the pool"))


class MoveRefused(Exception):
    """Why a move can't begin, go on or be ended; nothing of the instance was changed."""


@dataclass(slots=True)
class Place:
    """A database that an instance lives in, or shall; `makes` says that the move makes it."""

    id: UUID
    database_url: str
    database_username: str
    database_password: Secret
    makes: bool = False

    @property
    def alias(self) -> str:
        """The connection alias."""
        return tenancy.alias_of(self)

    def __str__(self) -> str:
        """The address, for people."""
        return _THE_POOL if self.alias == tenancy.POOL else self.database_url


def source_of(move: InstanceMove) -> Place:
    """Where a move takes the rows from."""
    return Place(move.instance_id, move.source_url, move.source_username, move.source_password)


def target_of(move: InstanceMove) -> Place:
    """Where a move takes the rows to."""
    return Place(
        move.instance_id,
        move.target_url,
        move.target_username,
        move.target_password,
        move.makes_target,
    )


def now_of(instance: Instance) -> Place:
    """Where an instance lives."""
    return Place(
        instance.id,
        instance.database_url,
        instance.database_username,
        instance.database_password,
    )


def named(instance: Instance, to: str, *, admin_url: str = "") -> Place:
    """The place that `--to` means: pool, silo, silo:SERVER, or the address of a database.

    With an admin's address the database is made on that server, otherwise an address means one
    that is there. Raises MoveRefused.
    """
    if to == "pool":
        return Place(instance.id, tenancy.pool_url(), "", Secret(""))
    own = silo_name(instance.id)
    if to == "silo" and admin_url:
        url = f"postgres://{urlsplit(admin_url).netloc.rpartition('@')[2]}/{own}"
        return Place(instance.id, url, own, _new_password(), makes=True)
    if to.partition(":")[0] == "silo":
        try:
            url = servers.silo_url(to.partition(":")[2], own)
        except servers.UnknownServer as error:
            raise MoveRefused(*error.args) from None
        return Place(instance.id, url, own, _new_password(), makes=True)
    try:
        found = configuration(to, named="--to")
    except ImproperlyConfigured as error:
        raise MoveRefused(Sentence(noop("%(error)s Or say pool, or silo."), error=error)) from None
    netloc = urlsplit(to).netloc
    # Not by urlunsplit, which takes an empty server's slashes away.
    bare = to.replace(f"//{netloc}", f"//{netloc.rpartition('@')[2]}", 1)
    if not admin_url:
        return Place(instance.id, bare, found["USER"], Secret(found["PASSWORD"]))
    password = Secret(found["PASSWORD"]) if found["PASSWORD"] else _new_password()
    return Place(instance.id, bare, found["USER"] or own, password, makes=True)


def make(place: Place, *, admin_url: str = "") -> None:
    """Makes the database of a place and its role; may be repeated.

    On a server of ours as provisioning does, on another one as the role's own database.
    """
    if not place.makes:
        return
    role, name = place.database_username, tenancy.database_of(place)
    with _administration(place, admin_url) as (admin, ours):
        if ours:
            template = provisioning.ensure_template(admin, _migrate)
            provisioning.ensure_role(admin, role, place.database_password.reveal())
            provisioning.ensure_database(admin, name, template, role)
            return
        provisioning.ensure_role(admin, role, place.database_password.reveal())
        _make_elsewhere(admin, name, role)
    _migrate(place.alias)


def unmake(place: Place, *, admin_url: str = "") -> None:
    """Drops the database that a move has made, with its role."""
    connections[place.alias].close()
    with _administration(place, admin_url) as (admin, _):
        provisioning.drop(admin, tenancy.database_of(place), place.database_username)


def can_drop(place: Place, *, admin_url: str = "") -> bool:
    """Whether a silo may be dropped: one's own by its name, on a server that we administer."""
    if place.alias == tenancy.POOL or (_named_server(place) is None and not admin_url):
        return False
    if place.database_username != tenancy.database_of(place):
        return False
    others = Instance.all_objects.exclude(pk=place.id)
    return not others.filter(database_url=place.database_url).exists()


def exists(place: Place, *, admin_url: str = "") -> bool:
    """Whether a silo is there: a purge that was killed may have dropped it."""
    with _administration(place, admin_url) as (admin, _):
        found = admin.execute(
            "SELECT FROM pg_database WHERE datname = %s", [tenancy.database_of(place)]
        )
        return bool(found.rowcount)


def check_schema(place: Place) -> None:
    """Raises MoveRefused where a database isn't at the newest migration."""
    executor = MigrationExecutor(connections[place.alias])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        way = "migrate" if place.alias == tenancy.POOL else "migrate_tenants"
        raise MoveRefused(
            Sentence(
                noop(
                    "%(place)s is not at the newest migration. Bring it there first (manage.py "
                    "%(command)s, or psql from a database that is)."
                ),
                place=place,
                command=way,
            )
        )


# --- Parts --------------------------------------------------------------------------------------


def _new_password() -> Secret:
    return Secret(secrets.token_urlsafe(32))


def _migrate(alias: str) -> None:
    call_command("migrate", database=alias, verbosity=0, interactive=False)


@contextmanager
def _administration(place: Place, admin_url: str) -> Iterator[tuple[Admin, bool]]:
    """An administrator's connection to a place's server; and whether we make silos there."""
    server = _named_server(place)
    if server is not None:
        with provisioning.administration(server) as admin:
            yield admin, True
        return
    if not admin_url:
        raise MoveRefused(
            Sentence(
                noop(
                    "Making or dropping %(place)s takes --admin-url, the address of an "
                    "administrator's database there, or a name for that server in %(setting)s."
                ),
                place=place.database_url,
                setting=SETTING,
            )
        )
    with psycopg.connect(admin_url, autocommit=True) as connection:
        yield Admin(None, connection), False


def _named_server(place: Place) -> str | None:
    """The name of a place's server, servers.OWN for the platform's; None for one without a name."""
    try:
        return servers.server_of(place)
    except tenancy.BadPlacement:
        return None


def _make_elsewhere(admin: Admin, name: str, role: str) -> None:
    names = {"name": sql.Identifier(name), "role": sql.Identifier(role)}
    if not admin.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
        # To give a database away takes membership, which a superuser has of all.
        admin.execute(sql.SQL("GRANT {role} TO CURRENT_USER").format(**names))
        admin.execute(
            sql.SQL("CREATE DATABASE {name} OWNER {role} TEMPLATE template0").format(**names)
        )
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {name} FROM PUBLIC").format(**names))
