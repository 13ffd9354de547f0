"""`manage.py schema` as a test runs it, and databases as Flyway leaves them."""

import json
import os
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management import CommandError, call_command
from django.db.backends.base.base import BaseDatabaseWrapper

from tests import programs
from tests.migrations import plan_sql, rows
from tests.migrations.databases import execute, url

ROOT = Path(__file__).parents[2]

HISTORY = """
    CREATE TABLE {table} (
        installed_rank integer NOT NULL CONSTRAINT {table}_pk PRIMARY KEY,
        version varchar(50),
        description varchar(200) NOT NULL,
        type varchar(20) NOT NULL,
        script varchar(1000) NOT NULL,
        checksum integer,
        installed_by varchar(100) NOT NULL,
        installed_on timestamp NOT NULL DEFAULT now(),
        execution_time integer NOT NULL,
        success boolean NOT NULL
    );
    CREATE INDEX {table}_s_idx ON {table} (success);
"""


class Outcome(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        """The output of a command that was run with --json."""
        return json.loads(self.out)


def schema(live: BaseDatabaseWrapper, action: str, *arguments: str) -> Outcome:
    """Runs `manage.py schema` on a database, in this process."""
    out = StringIO()
    try:
        call_command("schema", action, *arguments, "--database", live.alias, stdout=out)
    except CommandError as error:
        return Outcome(error.returncode, out.getvalue(), str(error))
    return Outcome(0, out.getvalue(), "")


def manage(live: BaseDatabaseWrapper, *arguments: str, **environment: str) -> Outcome:
    """Runs `manage.py` as people do: another process, the database named by DATABASE_URL."""
    given = {**os.environ, "DATABASE_URL": url(live), "DJANGO_DEBUG": "on", **environment}
    done = programs.run("manage.py", *arguments, env=given)
    return Outcome(done.returncode, done.stdout, done.stderr)


def flyway_history(
    live: BaseDatabaseWrapper, versions: Iterable[object], table: str = "flyway_schema_history"
) -> None:
    """Makes the table that Flyway keeps, with a row for each version."""
    execute(live, HISTORY.format(table=table))
    for rank, version in enumerate(versions, start=1):
        execute(
            live,
            f"INSERT INTO {table} VALUES ({rank}, '{version}', 'step', 'SQL', 'V{version}__step.sql',"
            " 1996767037, 'kitehub', '2026-02-01 09:00:00', 12, true)",
        )


def built_by_flyway(live: BaseDatabaseWrapper, upto: int) -> None:
    """Brings an empty database to a version as Flyway did, with rows in every table."""
    plan_sql.build(live, upto)
    rows.fill(live, upto)
    flyway_history(live, range(1, upto + 1))
