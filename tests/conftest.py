"""Fixtures of all tests."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.commands import flush as flush_command
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client, SimpleTestCase
from django.utils import translation
from pytest_django import DjangoDbBlocker

from kitehub import tenancy
from kitehub.models import Instance, User
from tests.kitehub.tenancy.conftest import database, living_in

# The tests' embedded server is their own: no test touches a developer's data, and no crash of
# the machine can matter to it.
settings.DATA_DIR = settings.DATA_DIR / "tests"
os.environ.setdefault("KITEHUB_EMBEDDED_FSYNC", "off")
# The real hasher is slow on purpose, and most tests sign in.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would all programs
# that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Where the longest files are, longest first. Begun last, any of them would leave the other
# processes of pytest-xdist with nothing to do.
LONGEST = [
    "kitehub/management/",
    "kitehub/db/test_embedded_",
    "migrations/",
    "kitehub/moving/",
    "kitehub/backoffice/test_addresses.py",
    "kitehub/tenancy/",
    "concurrency/test_storage_kill.py",
    "kitehub/closing/",
    "kitehub/archives/",
    "kitehub/demo/",
    "storage/test_adoption.py",
    "benchmarks/",
    "kitehub/backoffice/",
    "kitehub/jobs/",
]
TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; a process takes the next one when it is done with one."""

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(TESTS).as_posix()
        return next((at for at, long in enumerate(LONGEST) if name.startswith(long)), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """A page that was asked for in English leaves no other test in English."""
    yield
    translation.deactivate()


# Not Django's to empty: the queue of jobs.
QUEUE = [
    "job_failures",
    "procrastinate_periodic_defers",
    "procrastinate_events",
    "procrastinate_jobs",
    "procrastinate_workers",
]
# As migrate makes them; no test changes them, and who does is told.
KEPT = {
    *("django_content_type", "auth_permission"),
    *("auth_group", "auth_group_permissions", "staff_roles"),
}
_kept: dict[str, Any] = {}
# Up to so many rows DELETE is quicker than TRUNCATE, which makes new files for every index.
FEW = 2_000


def _emptying(flush: DatabaseOperations, style: Any, tables: Any, **options: Any) -> list[str]:
    """What empties the tables that have rows, past the guards of append-only ones."""
    quote = flush.quote_name
    names = [name for name in [*tables, *QUEUE] if name not in KEPT]
    counts = " UNION ALL ".join(
        f"SELECT '{name}', (SELECT count(*) FROM (SELECT FROM {quote(name)} LIMIT {FEW + 1}) rows)"
        for name in names
    )
    with flush.connection.cursor() as cursor:
        cursor.execute(counts)
        found = dict(cursor.fetchall())
        cursor.execute(
            "SELECT role, count(permission_id) FROM staff_roles"
            " LEFT JOIN auth_group_permissions USING (group_id) GROUP BY role ORDER BY role"
        )
        kept = cursor.fetchall()
    before = _kept.setdefault(flush.connection.settings_dict["NAME"], kept)
    assert kept == before, "This test has changed the rights of roles, for all that follow."
    return [
        "SET LOCAL session_replication_role = replica",
        *(
            f"DELETE FROM {quote(name)}" if count <= FEW else f"TRUNCATE {quote(name)} CASCADE"
            for name, count in found.items()
            if count
        ),
    ]


@pytest.fixture(autouse=True, scope="session")
def _quick_flush() -> Iterator[None]:
    """Transactional tests leave empty tables behind, and what migrate made as it was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", _emptying)
        # It would make the permissions anew, which are still there.
        patch.setattr(flush_command, "emit_post_migrate_signal", lambda *args, **kwargs: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def _silos_allowed() -> Iterator[None]:
    """Silos are made on demand, so no test can name their aliases; pytest-django still guards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            SimpleTestCase,
            "ensure_connection_patch_method",
            classmethod(lambda cls: BaseDatabaseWrapper.ensure_connection),
        )
        # Nor the alias of an address that an earlier test has used.
        patch.setattr(SimpleTestCase, "_disallowed_connection_methods", [])
        yield


@pytest.fixture(autouse=True)
def _no_language_left() -> Iterator[None]:
    """A request keeps its language for the thread: the next test begins with the site's own."""
    yield
    translation.deactivate()


@pytest.fixture
def rules_off(db: None) -> None:
    """For tests of how values are written and read: no rule about which of them may follow."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("ALTER TABLE payment_orders DROP CONSTRAINT payment_orders_paid_check")


@pytest.fixture
def staff(db: None) -> User:
    """A superuser."""
    return User.objects.create_superuser("staff@kitehub.test", "a long password", full_name="Lê Na")


@pytest.fixture
def back_office(client: Client, staff: User) -> Client:
    """A browser that is signed in as a superuser."""
    client.force_login(staff)
    return client


@pytest.fixture(scope="session")
def migrated_silo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A silo at the newest migration, to be copied.

    Here and nowhere else: pytest makes a fixture again in each module that imports it.
    """
    with django_db_blocker.unblock(), database() as name:
        alias = tenancy.alias_of(living_in(name))
        call_command("migrate", database=alias, verbosity=0)
        connections[alias].close()
        yield name


@pytest.fixture
def silo(migrated_silo: str, transactional_db: None) -> Iterator[Instance]:
    """A school with a database of its own."""
    with database(migrated_silo) as name:
        school = living_in(name)
        school.owner.save()
        school.save()
        yield school
