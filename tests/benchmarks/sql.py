"""SQL on the benchmark's database, and what server it is."""

from typing import Any

from django.db import connection


def execute(statement: str, *params: Any) -> list[tuple[Any, ...]]:
    """Runs SQL as it stands; returns its rows if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return cursor.fetchall() if cursor.description else []


def server() -> str:
    """What the figures were measured on."""
    ((version, fsync, commit),) = execute(
        "SELECT current_setting('server_version'), current_setting('fsync'),"
        " current_setting('synchronous_commit')"
    )
    return f"PostgreSQL {version.split()[0]}, fsync {fsync}, synchronous_commit {commit}"
