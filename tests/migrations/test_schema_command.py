"""`manage.py schema` from the outside: another process, its exit codes, streams and questions."""

import os
import pty
import subprocess
import sys

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.management.schema import live as records
from kitehub.management.schema.info import info
from tests.migrations.commands import ROOT, manage
from tests.migrations.databases import execute, newest, url


def test_done_is_0_and_json_is_all_that_is_printed(migrated: BaseDatabaseWrapper) -> None:
    outcome = manage(migrated, "schema", "info", "--json")

    assert (outcome.code, outcome.error) == (0, "")
    assert outcome.json["current"] == f"V{newest()}"


def test_drift_is_3_with_a_line_for_each_and_one_on_stderr(current: BaseDatabaseWrapper) -> None:
    execute(current, "DROP INDEX idx_instances_owner")

    outcome = manage(current, "schema", "validate")

    assert outcome.code == 3
    assert outcome.out == "missing index idx_instances_owner on instances\n"
    assert outcome.error == ("CommandError: 1 difference from what the applied migrations make.\n")


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["to", "V99"], 2, "There is no version V99."),
        (["to"], 2, "the following arguments are required: version"),
        (["sideways"], 2, "invalid choice: 'sideways'"),
        ([], 2, "the following arguments are required: subcommand"),
        (["to", "V1"], 4, "Nothing was done: add --yes"),
        (["baseline"], 4, "recorded in this database already"),
        (["clean"], 4, "Add --yes to do it."),
    ],
)
def test_other_ends_have_their_codes(
    arguments: list[str], code: int, reason: str, migrated: BaseDatabaseWrapper
) -> None:
    outcome = manage(migrated, "schema", *arguments)

    assert outcome.code == code
    assert reason in outcome.error
    assert "Traceback" not in outcome.error


def test_a_server_that_is_not_there_is_1_and_one_line(migrated: BaseDatabaseWrapper) -> None:
    elsewhere = "postgres://kitehub@127.0.0.1:9/kitehub"

    outcome = manage(migrated, "schema", "validate", DATABASE_URL=elsewhere)

    assert outcome.code == 1
    assert outcome.error.count("\n") == 1
    assert "127.0.0.1:9" in outcome.error


@pytest.mark.parametrize(("answer", "code", "version"), [("n", 4, None), ("y", 0, 7)])
def test_at_a_terminal_it_asks(
    answer: str, code: int, version: int | None, current: BaseDatabaseWrapper
) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "manage.py", "schema", "to", "V7"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url(current)},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(ours, f"{answer}\n".encode())
        out, error = process.communicate()
    os.close(ours)
    os.close(theirs)

    assert process.returncode == code, error
    assert "Go to V7? [y/N]" in out
    assert info(records.read(current)).current == f"V{version or newest()}"
