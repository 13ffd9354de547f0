"""Each error of a real server that an operator can mend is a line that says how; a bug isn't."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, NotSupportedError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import DjangoDbBlocker

from kitehub.db.backends.embedded.cluster import Address
from kitehub.db.backends.embedded.server import server_for
from kitehub.db.backends.postgresql import base
from kitehub.db.errors import EmbeddedServerError, explain
from tests.kitehub.db.clients import temporary_data_dir

SETUP = """
CREATE ROLE guarded LOGIN PASSWORD 'right';
CREATE ROLE limited LOGIN;
CREATE ROLE crowded LOGIN CONNECTION LIMIT 0;
CREATE ROLE stranger LOGIN;
CREATE TABLE owned (id serial);
CREATE DATABASE closed;
REVOKE CONNECT ON DATABASE closed FROM PUBLIC
"""
WHO_MAY_CONNECT = """
local all guarded scram-sha-256
local all postgres,limited,crowded,ghost trust
"""


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    """A server of this module's own, with roles that may do little."""
    with temporary_data_dir() as data_dir:
        server = server_for(data_dir)
        with psycopg.connect(server.address().conninfo(), autocommit=True) as connection:
            for statement in SETUP.split(";"):
                connection.execute(statement)
        server.release()
        (data_dir / "postgres" / "pg_hba.conf").write_text(WHO_MAY_CONNECT)
        yield server.address()
        server.release()


@pytest.fixture
def limited(address: Address, django_db_blocker: DjangoDbBlocker) -> Iterator[BaseDatabaseWrapper]:
    """A connection as a role that may create nothing."""
    connections.settings["limited"] = {
        **connections["default"].settings_dict,
        "ENGINE": "kitehub.db.backends.postgresql",
        "HOST": address.host,
        "PORT": address.port,
        "USER": "limited",
        "PASSWORD": "",
        "NAME": "postgres",
    }
    with django_db_blocker.unblock():
        yield connections["limited"]
        connections["limited"].close()
    del connections["limited"]
    del connections.settings["limited"]


def attempt(address: Address, **other: object) -> str:
    """What is said about a connection that fails."""
    settings = {"host": address.host, "port": address.port, "user": "limited"}
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(**{**settings, "dbname": "postgres", "password": "sekret", **other})  # type: ignore[arg-type]
    line = explain(caught.value)
    assert line
    assert "\n" not in line
    assert "sekret" not in line
    return line


def failure(connection: BaseDatabaseWrapper, statement: str) -> Error:
    with pytest.raises(Error) as caught, connection.cursor() as cursor:
        cursor.execute(statement)
    return caught.value


def test_server_that_does_not_answer_is_named(address: Address) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = attempt(address, host="127.0.0.1", port=port)
    assert line.startswith(f"The server at 127.0.0.1:{port} doesn't answer.")
    line = attempt(address, host="/nowhere")
    assert line.startswith("The server at the socket in /nowhere doesn't answer.")


def test_unknown_host_is_named(address: Address) -> None:
    assert "The host nowhere.invalid is unknown." in attempt(address, host="nowhere.invalid")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"dbname": "lost"}, 'has no database lost. Create it (CREATE DATABASE "lost";)'),
        ({"user": "guarded"}, 'doesn\'t let the role "guarded" in'),
        ({"user": "ghost"}, 'doesn\'t let the role "ghost" in'),
        ({"user": "stranger"}, 'no entry in pg_hba.conf that lets the role "stranger" connect'),
        ({"user": "crowded"}, "has no connection left"),
        ({"dbname": "closed"}, 'run: GRANT CONNECT, CREATE ON DATABASE "closed" TO "limited";'),
        ({"sslmode": "nonsense"}, 'refused the connection: invalid sslmode value: "nonsense".'),
    ],
    ids=lambda value: next(iter(value.items())) if isinstance(value, dict) else "",
)
def test_refused_connection_is_explained(
    address: Address, other: dict[str, str], said: str
) -> None:
    assert said in attempt(address, **other)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.own (id int)",
        "CREATE TYPE public.mood AS ENUM ('fine')",
        "SELECT * FROM owned",
        "SELECT nextval('owned_id_seq')",
        "ALTER TABLE owned ADD note text",
        "CREATE SCHEMA own",
        "CREATE DATABASE own",
    ],
)
def test_printed_grant_gives_the_right_that_was_missing(
    address: Address, limited: BaseDatabaseWrapper, statement: str
) -> None:
    with psycopg.connect(address.conninfo(), autocommit=True) as superuser:
        # What another case was granted must not hide that this one is refused.
        superuser.execute("REVOKE CREATE ON SCHEMA public FROM limited")
        line = explain(failure(limited, statement), using="limited")
        assert line
        assert line.startswith('The role "limited" lacks a right in the database postgres')
        superuser.execute(line.partition("As the owner or a superuser run: ")[2])
        with limited.cursor() as cursor:
            cursor.execute(statement)


def test_role_that_may_not_record_migrations_is_told_the_grant(
    address: Address, limited: BaseDatabaseWrapper
) -> None:
    with psycopg.connect(address.conninfo(), autocommit=True) as superuser:
        superuser.execute("REVOKE CREATE ON SCHEMA public FROM limited")
    with pytest.raises(MigrationSchemaMissing) as caught:
        MigrationRecorder(limited).ensure_schema()
    line = explain(caught.value, using="limited")
    assert line
    assert 'GRANT USAGE, CREATE ON SCHEMA public TO "limited";' in line


def test_deadlock_is_explained(address: Address) -> None:
    with (
        psycopg.connect(address.conninfo()) as ours,
        psycopg.connect(address.conninfo()) as theirs,
        ThreadPoolExecutor(1) as pool,
    ):
        # Who looks is the one that is ended, so we look once they wait.
        ours.execute("SET deadlock_timeout = '10ms'; SELECT pg_advisory_xact_lock(1)")
        theirs.execute("SET deadlock_timeout = '60s'; SELECT pg_advisory_xact_lock(2)")
        waiting = pool.submit(theirs.execute, "SELECT pg_advisory_xact_lock(1)")
        stuck = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while ours.execute(stuck).fetchone() == (0,):
            assert not waiting.done()
        with pytest.raises(psycopg.errors.DeadlockDetected) as caught:
            ours.execute("SELECT pg_advisory_xact_lock(2)")
        ours.rollback()
        waiting.result()
    line = explain(caught.value)
    assert line
    assert line.endswith("What was not done yet can be run again.")


def test_read_only_server_is_explained(limited: BaseDatabaseWrapper) -> None:
    with limited.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    assert "is read-only" in str(explain(failure(limited, "CREATE TABLE t ()"), using="limited"))


def test_connection_that_the_server_ends_is_explained(limited: BaseDatabaseWrapper) -> None:
    ended = failure(limited, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert "it is being shut down" in str(explain(ended, using="limited"))


def test_server_that_is_too_old_is_named_with_its_version(
    address: Address, limited: BaseDatabaseWrapper
) -> None:
    class NewerFeatures(base.DatabaseFeatures):
        minimum_database_version = (99,)

    class NewerWrapper(base.DatabaseWrapper):
        features_class = NewerFeatures

    assert base.DatabaseFeatures.minimum_database_version == (15,)
    newer = NewerWrapper(limited.settings_dict, "newer")
    with pytest.raises(NotSupportedError) as caught:
        newer.ensure_connection()
    newer.close()
    line = explain(caught.value, using="limited")
    assert line
    assert f"The server at the socket in {address.host} is PostgreSQL 18." in line
    assert "KiteHub runs on 15 to 18" in line


def test_configuration_faults_are_their_own_explanation() -> None:
    assert explain(ImproperlyConfigured("SECRET_KEY is\nnot set.")) == "SECRET_KEY is not set."
    assert explain(EmbeddedServerError("The folder is full.")) == "The folder is full."


def test_bug_keeps_its_traceback(limited: BaseDatabaseWrapper) -> None:
    assert explain(failure(limited, "SELECT * FROM nothing"), using="limited") is None
    assert explain(failure(limited, "SELECT 1 / 0"), using="limited") is None
    assert explain(NotSupportedError("no such feature")) is None
    assert explain(ValueError("a bug")) is None
    with pytest.raises(KeyError) as bug:  # noqa: PT012 - how it comes about is the point
        try:
            raise ImproperlyConfigured("handled")
        except ImproperlyConfigured:
            {}["a bug while handling it"]
    assert explain(bug.value) is None


def test_server_that_died_under_a_query_is_explained(limited: BaseDatabaseWrapper) -> None:
    with limited.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        psutil.Process(cursor.fetchone()[0]).kill()
    said = explain(failure(limited, "SELECT 1"), using="limited")
    assert "ended the connection: server closed the connection unexpectedly." in str(said)
