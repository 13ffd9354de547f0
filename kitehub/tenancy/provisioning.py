"""Making silos on the platform's own server: a role, a database, and who may connect to it.

Every step may be repeated, so a run that was killed is finished by the next one. A database that
isn't whole yet takes no connections.

All tables of silos belong to one group role, OWNERS, of which each silo's role is a member: a new
silo is a copy of the template and nothing more, and what keeps silos apart is that a role may
connect to its own database only.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any, LiteralString

import psycopg
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from psycopg import sql
from psycopg.errors import DuplicateObject

from kitehub.tenancy.connections import forget
from kitehub.tenancy.placement import POOL, alias_at

OWNERS = "kitehub_tenants"
_TEMPLATE_LOCK = 0x6B69_7465_7470_6C74  # "kitetplt" in ASCII
# PostgreSQL cuts names off at 63 bytes; 16 are the digest's.
_PREFIX_LENGTH = 46

Admin = psycopg.Connection[Any]


@contextmanager
def administration() -> Iterator[Admin]:
    """A connection of its own to the platform's server, outside every transaction.

    The platform's role needs CREATEDB and CREATEROLE.
    """
    pool = connections[POOL]
    params = {**pool.get_connection_params(), "dbname": "postgres"}
    for ours in ("cursor_factory", "context", "prepare_threshold"):
        params.pop(ours, None)
    with psycopg.connect(**params, autocommit=True) as admin:
        yield admin


def ensure_role(admin: Admin, role: str, password: str) -> None:
    """Makes a silo's role, or gives the one that is there this password.

    The server is sent the password's verifier only, so that no log of its statements has it.
    """
    _ensure_owners(admin)
    verifier = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    _run(
        admin,
        "ALTER ROLE {role} LOGIN PASSWORD {verifier}"
        if _has_role(admin, role)
        else "CREATE ROLE {role} LOGIN PASSWORD {verifier}",
        role=sql.Identifier(role),
        verifier=sql.Literal(verifier.decode()),
    )
    _run(
        admin,
        "GRANT {owners} TO {role}",
        owners=sql.Identifier(OWNERS),
        role=sql.Identifier(role),
    )


def ensure_database(admin: Admin, name: str, template: str, role: str) -> None:
    """Makes a silo from the template, to which its role and the platform's may connect, no other.

    Also closes the pool to the roles of silos: PostgreSQL lets everybody in unless told otherwise.
    """
    names = {"name": sql.Identifier(name), "role": sql.Identifier(role)}
    if not _has_database(admin, name):
        _run(
            admin,
            "CREATE DATABASE {name} TEMPLATE {template} ALLOW_CONNECTIONS false",
            template=sql.Identifier(template),
            **names,
        )
    _run(admin, "REVOKE ALL ON DATABASE {name} FROM PUBLIC", **names)
    _run(admin, "GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {role}", **names)
    pool = sql.Identifier(connections[POOL].settings_dict["NAME"])
    _run(admin, "REVOKE CONNECT ON DATABASE {pool} FROM PUBLIC", pool=pool)
    _run(admin, "ALTER DATABASE {name} ALLOW_CONNECTIONS true", **names)


def ensure_template(admin: Admin, migrate: Callable[[str], object]) -> str:
    """The name of a database at the newest migration, brought there by `migrate(alias)` if need be.

    The name carries a digest of the migrations, so one of older code is never taken; those are
    dropped. Two runs at once make it once, and one that was killed is made anew.
    """
    name = _template_name()
    admin.execute("SELECT pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
    try:
        found = admin.execute(
            "SELECT FROM pg_database WHERE datname = %s AND datistemplate", [name]
        )
        if found.rowcount == 0:
            drop_templates(admin)
            _make_template(admin, name, migrate)
    finally:
        admin.execute("SELECT pg_advisory_unlock(%s)", [_TEMPLATE_LOCK])
    return name


def drop_templates(admin: Admin) -> None:
    """Drops the pool's templates: of older code, and what a killed run left."""
    rows = admin.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_prefix()]
    )
    for (old,) in rows.fetchall():
        _run(admin, "ALTER DATABASE {name} IS_TEMPLATE false", name=sql.Identifier(old))
        _run(admin, "DROP DATABASE {name} WITH (FORCE)", name=sql.Identifier(old))


def exists(admin: Admin, name: str) -> bool:
    """Whether the platform's server has a database."""
    return _has_database(admin, name)


def drop(admin: Admin, name: str, role: str) -> None:
    """Drops a silo with all that is in it, and its role; connections to it are ended."""
    if _has_role(admin, role):
        # Who isn't a superuser may end the connections only of roles that it is a member of.
        _run(admin, "GRANT {role} TO CURRENT_USER", role=sql.Identifier(role))
    _run(admin, "DROP DATABASE IF EXISTS {name} WITH (FORCE)", name=sql.Identifier(name))
    _run(admin, "DROP ROLE IF EXISTS {role}", role=sql.Identifier(role))


# --- Parts --------------------------------------------------------------------------------------


def _run(admin: Admin, statement: LiteralString, **parts: sql.Composable) -> None:
    admin.execute(sql.SQL(statement).format(**parts))


def _has_role(admin: Admin, role: str) -> bool:
    return bool(admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount)


def _has_database(admin: Admin, name: str) -> bool:
    return bool(admin.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount)


def _ensure_owners(admin: Admin) -> None:
    if _has_role(admin, OWNERS):
        return
    try:
        _run(admin, "CREATE ROLE {owners} NOLOGIN", owners=sql.Identifier(OWNERS))
    except DuplicateObject:
        return  # another run was faster
    _run(admin, "GRANT {owners} TO CURRENT_USER", owners=sql.Identifier(OWNERS))


def _prefix() -> str:
    return f"{connections[POOL].settings_dict['NAME']}_template_"[-_PREFIX_LENGTH:]


def _template_name() -> str:
    loader = MigrationLoader(None)
    known = "\n".join(sorted(".".join(key) for key in loader.disk_migrations))
    return _prefix() + blake2b(known.encode(), digest_size=8).hexdigest()


def _make_template(admin: Admin, name: str, migrate: Callable[[str], object]) -> None:
    _ensure_owners(admin)
    new = sql.Identifier(name)
    _run(admin, "CREATE DATABASE {name} TEMPLATE template0", name=new)
    _run(admin, "REVOKE ALL ON DATABASE {name} FROM PUBLIC", name=new)
    alias = alias_at(name)
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
