"""Connections of an archive's own, apart from those that requests and jobs have transactions on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext_noop as noop
from psycopg import IsolationLevel

from kitehub.archives.errors import ArchiveError
from kitehub.archives.tables import tables
from kitehub.db.sentences import Sentence

Session = psycopg.Connection[Any]


@contextmanager
def session(alias: str) -> Iterator[Session]:
    """A connection that nobody else has, closed at the end; every statement commits by itself."""
    wrapper = connections[alias].copy()
    wrapper.connect()
    try:
        yield wrapper.connection
    finally:
        wrapper.close()


@contextmanager
def snapshot(conn: Session, *, read_only: bool = True) -> Iterator[datetime]:
    """A transaction that sees one moment, which it yields."""
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    conn.read_only = read_only
    with conn.transaction():
        row = conn.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None  # noqa: S101  # a SELECT without FROM has one row
        yield row[0].astimezone(UTC)


def recorded(alias: str) -> tuple[str, ...]:
    """The migrations of the archived apps that a database has, `app.name`, in order."""
    apps = {table.model._meta.app_label for table in tables()}
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    return tuple(sorted(f"{app}.{name}" for app, name in applied if app in apps))


def check_current(alias: str, expected: set[str], where: str) -> tuple[str, ...]:
    """What a database has; raises ArchiveError where migrations of the code are missing."""
    found = recorded(alias)
    missing = sorted(expected - set(found))
    if missing:
        message = (
            noop(
                "%(where)s lacks %(migration)s and more: bring it up to date with migrate and "
                "migrate_tenants first."
            )
            if missing[1:]
            else noop(
                "%(where)s lacks %(migration)s: bring it up to date with migrate and "
                "migrate_tenants first."
            )
        )
        raise ArchiveError(Sentence(message, where=where, migration=missing[0]))
    return found
