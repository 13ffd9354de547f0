"""Schools that live in the pool, and in databases of their own beside it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from kitehub.models import Instance
from kitehub.tenancy.connections import close_all
from tests.factories.kitehub import InstanceFactory


@contextmanager
def database(template: str = "template0") -> Iterator[str]:
    """A new database on the tests' server."""
    name = f"kitehub_silo_{os.getpid()}_{secrets.token_hex(4)}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield name
    finally:
        close_all()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def living_in(name: str) -> Instance:
    """A school whose address is that of a database on the platform's own server."""
    return InstanceFactory.build(database_url=f"postgres:///{name}", database_username="")


@pytest.fixture
def pooled(db: None) -> Instance:
    """A school in the pool."""
    return InstanceFactory()


@pytest.fixture
def neighbour(db: None) -> Instance:
    """Another school in the pool."""
    return InstanceFactory()
