"""Two of the demo's schools in databases of their own, where the server lets us make some."""

import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from kitehub import tenancy
from kitehub.db.secrets import Secret
from kitehub.demo.schools import SCHOOLS
from kitehub.models import Instance
from kitehub.tenancy import provisioning

# A music school and a language school, which pay for the largest tier.
BRANDS = ("Giai Điệu Xanh", "Sao Khuê")


@dataclass
class Home:
    """A school's own database, as its row is to have it."""

    id: UUID
    database_url: str
    database_username: str
    database_password: Secret


Homes = dict[UUID, Home]


@contextmanager
def homes(report: Callable[[str], None]) -> Iterator[Homes]:
    """Makes the databases, each with an open transaction, which ends with the block.

    None, and a line that says why, where the server doesn't let us. What is there by these names
    is of a run that was killed, and goes; so do the new ones if the block fails.
    """
    made = {school.id: _home(school.id) for school in SCHOOLS if school.brand in BRANDS}
    why = _obstacle() or _make(made.values())
    if why:
        report(f"No school gets a database of its own: {why}")
        yield {}
        return
    try:
        with ExitStack() as stack:
            for home in made.values():
                stack.enter_context(transaction.atomic(using=tenancy.alias_of(home)))
            yield made
    except BaseException:
        _drop(made.values())
        raise
    finally:
        for home in made.values():
            connections[tenancy.alias_of(home)].close()


def alias_of(made: Homes, instance_id: UUID) -> str:
    """The alias of the database where a school's rows go."""
    return tenancy.alias_of(made[instance_id]) if instance_id in made else DEFAULT_DB_ALIAS


def move_in(row: Instance, made: Homes) -> Instance:
    """The instance's row, with the address of its home if it has one."""
    if home := made.get(row.id):
        row.database_url = home.database_url
        row.database_username = home.database_username
        row.database_password = home.database_password
    return row


def _home(school_id: UUID) -> Home:
    # The demo's ids are the same everywhere, and a server may have several platforms.
    platform = connection.settings_dict["NAME"][:40]
    name = f"{platform}_demo_{school_id.hex[:12]}"
    return Home(school_id, f"postgres:///{name}", name, Secret(secrets.token_urlsafe(32)))


def _obstacle() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR (rolcreatedb AND rolcreaterole) FROM pg_roles"
            " WHERE rolname = current_user"
        )
        ((may,),) = cursor.fetchall()
    return "" if may else "the role lacks CREATEDB or CREATEROLE. All live in the pool."


def _make(wanted: Collection[Home]) -> str:
    """Makes them; returns why it couldn't."""
    try:
        _drop(wanted)
        with provisioning.administration() as admin:
            template = provisioning.ensure_template(admin, _migrate)
            for home in wanted:
                role = home.database_username
                provisioning.ensure_role(admin, role, home.database_password.reveal())
                provisioning.ensure_database(admin, tenancy.database_of(home), template, role)
    except provisioning.ServerRefused as error:
        return f"{error} All live in the pool."
    return ""


def _drop(unwanted: Collection[Home]) -> None:
    with provisioning.administration() as admin:
        for home in unwanted:
            provisioning.drop(admin, tenancy.database_of(home), home.database_username)


def _migrate(alias: str) -> None:
    call_command("migrate", database=alias, verbosity=0, interactive=False)
