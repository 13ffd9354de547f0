"""Fixtures of all tests."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client, SimpleTestCase

from kitehub.models import User

# The tests' embedded server is their own: no test touches a developer's data, and no crash of
# the machine can matter to it.
settings.DATA_DIR = settings.DATA_DIR / "tests"
os.environ.setdefault("KITEHUB_EMBEDDED_FSYNC", "off")
# The real hasher is slow on purpose, and most tests sign in.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


QUEUE = [
    "TRUNCATE job_failures, procrastinate_periodic_defers, procrastinate_events,"
    " procrastinate_jobs, procrastinate_workers"
]


@pytest.fixture(autouse=True, scope="session")
def _flush_past_guards() -> Iterator[None]:
    """Lets transactional tests empty the append-only tables, whose triggers refuse TRUNCATE.

    And the queue of jobs, whose tables are not Django's to empty.
    """
    flush = DatabaseOperations.sql_flush

    def sql_flush(*args: Any, **kwargs: Any) -> list[str]:
        statements = flush(*args, **kwargs)
        return ["SET LOCAL session_replication_role = replica", *statements, *QUEUE]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
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
        yield


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
