"""Making silos on the platform's own server or another: role, database, who may connect to it.

Every step may be repeated, so a run that was killed is finished by the next one. A database that
isn't whole yet takes no connections.

All tables of silos belong to one group role of the server, OWNERS, of which each silo's role is a
member: a new silo is a copy of the server's template and nothing more, and what keeps silos apart
is that a role may connect to its own database only.
"""

import hashlib
import hmac
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from psycopg import sql
from psycopg.errors import DuplicateObject, UniqueViolation

from kitehub.db.errors import explain
from kitehub.db.sentences import Sentence
from kitehub.db.servers import SETTING, Server
from kitehub.tenancy import servers
from kitehub.tenancy.connections import bare_connections, forget
from kitehub.tenancy.placement import OWNERS, POOL, alias_at

_TEMPLATE_LOCK = 0x6B69_7465_7470_6C74  # "kitetplt" in ASCII
_POOL_LOCK = 0x6B69_7465_706F_6F6C  # "kitepool"
# As PostgreSQL itself has it, and RFC 7677 at least.
_SCRAM_ITERATIONS = 4096
# PostgreSQL cuts names off at 63 bytes; 16 are the digest's.
_PREFIX_LENGTH = 46


class ServerRefused(ImproperlyConfigured):
    """A server can't be reached, or its administrator may not do what is needed; in one line."""


@dataclass(frozen=True)
class Admin:
    """A connection to a server, outside every transaction; None is the platform's own server.

    `templates` are those that this connection has seen to be there.
    """

    server: Server | None
    connection: psycopg.Connection[Any]
    templates: list[str] = field(default_factory=list)

    def execute(self, statement: Any, values: Any = None) -> psycopg.Cursor[Any]:
        """Runs SQL; without values it may be several statements, which are one transaction."""
        return self.connection.execute(statement, values)


# The connections that `staying_connected` keeps, by the server's name.
_kept: ContextVar[tuple[ExitStack, dict[str, Admin]] | None] = ContextVar(
    "kitehub_administration", default=None
)


@contextmanager
def staying_connected() -> Iterator[None]:
    """In the block, `administration` connects to each server once, for those who make many silos.

    A kept connection that breaks stays broken until the block's end.
    """
    with bare_connections(), ExitStack() as stack:
        token = _kept.set((stack, {}))
        try:
            yield
        finally:
            _kept.reset(token)


@contextmanager
def administration(server: str = servers.OWN) -> Iterator[Admin]:
    """A connection of its own to a server, as the role that administers it.

    The platform's own server where none is named; its role is the platform's. The role needs
    CREATEDB and CREATEROLE. Raises UnknownServer; and ServerRefused for what the server's operator
    can mend.
    """
    found = servers.server(server)
    alias = alias_at(found.admin["NAME"] if found else "postgres", found)
    kept = _kept.get()
    try:
        if kept is None:
            with _connect(alias) as connection:
                yield Admin(found, connection)
        else:
            stack, there = kept
            if server not in there:
                there[server] = Admin(found, stack.enter_context(_connect(alias)))
            yield there[server]
    except psycopg.Error as error:
        why = explain(error, using=alias)
        if why is None:
            raise
        if found and isinstance(why, Sentence):
            why = why.having(setting=SETTING)
        raise ServerRefused(why) from error


def _connect(alias: str) -> psycopg.Connection[Any]:
    params = connections[alias].get_connection_params()
    for ours in ("cursor_factory", "context", "prepare_threshold"):
        params.pop(ours, None)
    admin = psycopg.connect(**params, autocommit=True)
    # Only the last step, the silo's first rows, has to reach the disk: with it goes all before it.
    # What a crash of the server undoes before that is done again by the next run.
    admin.execute("SET synchronous_commit = off")
    return admin


def ensure_role(admin: Admin, role: str, password: str) -> None:
    """Makes a silo's role, or gives the one that is there this password.

    The server is sent the password's verifier only, so that no log of its statements has it.
    """
    has_owners, has_role = _roles(admin, role)
    if not has_owners:
        _make_owners(admin)
    _run(
        admin,
        "ALTER ROLE {role} LOGIN PASSWORD {verifier}; GRANT {owners} TO {role}"
        if has_role
        else "CREATE ROLE {role} LOGIN PASSWORD {verifier} IN ROLE {owners}",
        role=sql.Identifier(role),
        verifier=sql.Literal(_verifier(password)),
        owners=sql.Identifier(OWNERS),
    )


def ensure_database(admin: Admin, name: str, template: str, role: str) -> None:
    """Makes a silo from the template, to which its role and the platform's may connect, no other.

    Also closes the pool to the roles of silos: PostgreSQL lets everybody in unless told otherwise.
    """
    pool = connections[POOL].settings_dict["NAME"]
    rows = admin.execute(
        "SELECT datname, has_database_privilege('public', oid, 'CONNECT') FROM pg_database"
        " WHERE datname IN (%s, %s)",
        [name, pool],
    )
    open_to_all = dict(rows.fetchall())
    names = {"name": sql.Identifier(name), "role": sql.Identifier(role)}
    if name not in open_to_all:
        _run(
            admin,
            "CREATE DATABASE {name} TEMPLATE {template} ALLOW_CONNECTIONS false",
            template=sql.Identifier(template),
            **names,
        )
    # On another server a database of the pool's name is somebody else's.
    if admin.server is None and open_to_all.get(pool):
        with _turn(admin, _POOL_LOCK):
            _run(admin, "REVOKE CONNECT ON DATABASE {pool} FROM PUBLIC", pool=sql.Identifier(pool))
    _run(
        admin,
        "REVOKE ALL ON DATABASE {name} FROM PUBLIC;"
        " GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {role};"
        " ALTER DATABASE {name} ALLOW_CONNECTIONS true",
        **names,
    )


def ensure_template(admin: Admin, migrate: Callable[[str], object]) -> str:
    """The name of a database at the newest migration, brought there by `migrate(alias)` if need be.

    Each server has its own. The name carries a digest of the migrations, so one of older code is
    never taken; those are dropped. Two runs at once make it once, and one that was killed is made
    anew.
    """
    if admin.templates:
        return admin.templates[0]
    name = _template_name()
    with _turn(admin, _TEMPLATE_LOCK):
        if not _is_template(admin, name):
            drop_templates(admin)
            _make_template(admin, name, migrate)
    admin.templates.append(name)
    return name


def drop_templates(admin: Admin) -> None:
    """Drops the pool's templates: of older code, and what a killed run left."""
    # Others may have given a database a name that only begins like ours.
    rows = admin.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        " AND substr(datname, length(%s) + 1) ~ '^[0-9a-f]{16}$'",
        [_prefix(), _prefix()],
    )
    for (old,) in rows.fetchall():
        _run(admin, "ALTER DATABASE {name} IS_TEMPLATE false", name=sql.Identifier(old))
        _run(admin, "DROP DATABASE {name} WITH (FORCE)", name=sql.Identifier(old))


def exists(admin: Admin, name: str) -> bool:
    """Whether a server has a database."""
    rows = admin.execute("SELECT FROM pg_database WHERE datname = %s", [name])
    return bool(rows.rowcount)


def drop(admin: Admin, name: str, role: str) -> None:
    """Drops a silo with all that is in it, and its role; connections to it are ended."""
    if _roles(admin, role)[1]:
        # Who isn't a superuser may end the connections only of roles that it is a member of.
        _run(admin, "GRANT {role} TO CURRENT_USER", role=sql.Identifier(role))
    _run(admin, "DROP DATABASE IF EXISTS {name} WITH (FORCE)", name=sql.Identifier(name))
    _run(admin, "DROP ROLE IF EXISTS {role}", role=sql.Identifier(role))


def open_doors(admin: Admin, role: str) -> list[str]:
    """The databases that a silo's role may connect to beside its own, because everybody may.

    Whose they are, only the server's operator knows; so only they can close them.
    """
    rows = admin.execute(
        "SELECT datname FROM pg_database"
        " WHERE datallowconn AND datname <> %s AND has_database_privilege(%s, oid, 'CONNECT')"
        " ORDER BY 1",
        [role, role],
    )
    return [name for (name,) in rows.fetchall()]


@contextmanager
def school(admin: Admin, role: str) -> Iterator[None]:
    """In the block, nobody else makes or drops this school's role and database."""
    (key,) = admin.execute("SELECT hashtextextended(%s, %s)", [role, _POOL_LOCK]).fetchone() or [0]
    with _turn(admin, key):
        yield


# --- Parts --------------------------------------------------------------------------------------


@contextmanager
def _turn(admin: Admin, key: int) -> Iterator[None]:
    """Holds an advisory lock of the server's maintenance database; waits for it."""
    admin.execute("SELECT pg_advisory_lock(%s)", [key])
    try:
        yield
    finally:
        if not admin.connection.closed:
            admin.execute("SELECT pg_advisory_unlock(%s)", [key])


def _run(admin: Admin, statement: LiteralString, **parts: sql.Composable) -> None:
    admin.execute(sql.SQL(statement).format(**parts))


def _verifier(password: str) -> str:
    """What PostgreSQL keeps of a password (RFC 5803); OpenSSL takes half of libpq's time for it.

    For ASCII only, which SASLprep leaves as it is.
    """
    if not password.isascii():
        raise ValueError("A silo's password is of ASCII letters.")
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _SCRAM_ITERATIONS)
    keys = [hmac.digest(salted, name, "sha256") for name in (b"Client Key", b"Server Key")]
    stored = hashlib.sha256(keys[0]).digest()
    salt64, stored64, server64 = (b64encode(part).decode() for part in (salt, stored, keys[1]))
    return f"SCRAM-SHA-256${_SCRAM_ITERATIONS}:{salt64}${stored64}:{server64}"


def _roles(admin: Admin, role: str) -> tuple[bool, bool]:
    """Whether the group is there, with the administrator in it, and a silo's role."""
    rows = admin.execute(
        "SELECT rolname FROM pg_roles"
        " WHERE rolname = %s AND pg_has_role(oid, 'MEMBER') OR rolname = %s",
        [OWNERS, role],
    ).fetchall()
    return (OWNERS,) in rows, (role,) in rows


def _is_template(admin: Admin, name: str) -> bool:
    rows = admin.execute("SELECT FROM pg_database WHERE datname = %s AND datistemplate", [name])
    return bool(rows.rowcount)


def _make_owners(admin: Admin) -> None:
    # Another run may be faster, or was killed between the two.
    with suppress(DuplicateObject, UniqueViolation):
        _run(admin, "CREATE ROLE {owners} NOLOGIN", owners=sql.Identifier(OWNERS))
    _run(admin, "GRANT {owners} TO CURRENT_USER", owners=sql.Identifier(OWNERS))


def _prefix() -> str:
    return f"{connections[POOL].settings_dict['NAME']}_template_"[-_PREFIX_LENGTH:]


def _template_name() -> str:
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    known = "\n".join(sorted(".".join(key) for key in loader.disk_migrations))
    return _prefix() + hashlib.blake2b(known.encode(), digest_size=8).hexdigest()


def _make_template(admin: Admin, name: str, migrate: Callable[[str], object]) -> None:
    if not _roles(admin, OWNERS)[0]:
        _make_owners(admin)
    new = sql.Identifier(name)
    _run(admin, "CREATE DATABASE {name} TEMPLATE template0", name=new)
    _run(admin, "REVOKE ALL ON DATABASE {name} FROM PUBLIC", name=new)
    alias = alias_at(name, admin.server)
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNERS}")
            # What is made from here on in this session belongs to the group.
            cursor.execute(f"SET ROLE {OWNERS}")
        migrate(alias)
    finally:
        forget(alias)
    # Whole from now on; closed, so that nobody's connection keeps it from being copied.
    _run(admin, "ALTER DATABASE {name} ALLOW_CONNECTIONS false IS_TEMPLATE true", name=new)
