"""The plan's own SQL: `plan/V1.sql` to `V8.sql` and its rollback script, word for word."""

import re
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

from tests.migrations.databases import execute

FOLDER = Path(__file__).parent / "plan"
VERSIONS = range(1, 9)

# What must be corrected for the plan to run at all, and nothing else.
CORRECTIONS = {
    3: ("CREATE TRIGGER IF NOT EXISTS", "CREATE TRIGGER"),
}


def as_written(version: int) -> str:
    """The plan's SQL of a version."""
    return (FOLDER / f"V{version}.sql").read_text("utf-8")


def corrected(version: int) -> str:
    """The plan's SQL of a version, with the correction that makes it run."""
    wrong, right = CORRECTIONS.get(version, ("", ""))
    return as_written(version).replace(wrong, right) if wrong else as_written(version)


def build(connection: BaseDatabaseWrapper, upto: int) -> None:
    """Brings an empty database to a version by the plan's SQL."""
    for version in range(1, upto + 1):
        execute(connection, corrected(version))


def rollbacks() -> dict[int, str]:
    """The plan's rollback script, by the version that each part takes back."""
    script = (FOLDER / "rollback.sql").read_text("utf-8")
    parts = re.split(r"^-- Rollback V(\d) .*\n", script, flags=re.MULTILINE)[1:]
    return {int(number): sql for number, sql in zip(parts[::2], parts[1::2], strict=True)}
