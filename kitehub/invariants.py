"""What must be true of users', instances' and configs' rows; `check_invariants` runs it."""

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db.invariants import Finding, invariant, rows


@invariant("kitehub.Instance")
def passwords(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """A database password is encrypted or empty; whether a key opens it, rotate_keys says."""
    count, found = rows(
        connection,
        "SELECT id FROM instances WHERE database_password <> ''"
        " AND database_password !~ '^gAAAAA[A-Za-z0-9_-]{92,}={0,2}$'",
    )
    if count:
        what = "database_password is plain text"
        yield Finding("instances", what, count, tuple(str(row[0]) for row in found))
