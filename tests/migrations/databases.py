"""Databases of a test's own, beside the one that pytest-django makes."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from django.db import connection as default
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor

from kitehub.db.versions import Versions


@contextmanager
def database(template: BaseDatabaseWrapper | None = None) -> Iterator[BaseDatabaseWrapper]:
    """A new database with a connection alias of its name; a copy of another's, or empty."""
    name = f"kitehub_schema_{os.getpid()}_{secrets.token_hex(4)}"
    if template is not None:
        template.close()  # PostgreSQL copies only what nobody is connected to
    source = template.settings_dict["NAME"] if template else "template0"
    with default._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
    connections.settings[name] = {**default.settings_dict, "NAME": name}
    try:
        yield connections[name]
    finally:
        connections[name].close()
        del connections[name], connections.settings[name]
        with default._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def url(connection: BaseDatabaseWrapper) -> str:
    """The DATABASE_URL by which another process reaches the same database."""
    connection.ensure_connection()  # the embedded server's address is known from then on
    settings = connection.settings_dict
    user = quote(settings["USER"], safe="")
    password = f":{quote(settings['PASSWORD'], safe='')}" if settings["PASSWORD"] else ""
    host = quote(settings["HOST"] or "localhost", safe="")
    return f"postgres://{user}{password}@{host}:{settings['PORT']}/{settings['NAME']}"


def execute(connection: BaseDatabaseWrapper, sql: str) -> list[tuple[object, ...]]:
    """Runs SQL as it stands, and returns the rows if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def value(connection: BaseDatabaseWrapper, sql: str) -> object:
    """The one value that a query gives."""
    ((found,),) = execute(connection, sql)
    return found


def go_to(
    connection: BaseDatabaseWrapper, number: int, arrived: Callable[[int], None] = lambda _: None
) -> None:
    """Migrates forward or back to a version with nothing but Django's own executor.

    `arrived` is called at each version on the way, the last one included.
    """
    executor = MigrationExecutor(connection)
    versions = Versions(executor.loader)
    recorded = set(executor.loader.applied_migrations)
    back = [key for key in reversed(versions.order) if key in recorded]
    keys = [key for key in back if versions.of[key] > number]
    backwards = bool(keys)
    if not backwards:
        keys = [key for key in versions.up_to(number) if key not in recorded]
        keys.sort(key=lambda key: versions.of[key])
    left = list(keys)

    def progress(action: str, migration: Migration | None = None, fake: bool = False) -> None:
        if action in {"apply_success", "unapply_success"} and migration:
            done = versions.of[migration.app_label, migration.name]
            left.remove((migration.app_label, migration.name))
            if not any(versions.of[key] == done for key in left):
                arrived(done - 1 if backwards else done)

    executor.progress_callback = progress
    executor.migrate([], plan=[(versions.migration(key), backwards) for key in keys])


def newest(app: str = "") -> int:
    """The last version that the code has, or the last in which an app has a migration."""
    versions = Versions(MigrationExecutor(default).loader)
    return max(number for (label, _), number in versions.of.items() if app in ("", label))
