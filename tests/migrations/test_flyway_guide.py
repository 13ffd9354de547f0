"""docs/flyway.md is right: its SQL does what it says on a database that Flyway built."""

import re

import pytest
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db import catalog
from kitehub.management.schema.outcome import Exit
from tests.migrations import rows
from tests.migrations.commands import ROOT, built_by_flyway, schema
from tests.migrations.databases import execute, value


@pytest.fixture(scope="module")
def guide() -> list[str]:
    """The guide's blocks of SQL."""
    text = (ROOT / "docs" / "flyway.md").read_text("utf-8")
    return re.findall(r"^```sql\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def contents(live: BaseDatabaseWrapper, upto: int) -> dict[str, list[object]]:
    """The rows of the plan's tables, wherever they are stored."""
    return {
        table: sorted(text for _, _, text in found)
        for table, found in rows.snapshot(live, upto).items()
    }


def test_the_way_back_gives_flyway_its_database_again(
    guide: list[str], empty: BaseDatabaseWrapper
) -> None:
    built_by_flyway(empty, 6)
    schema_before, rows_before = catalog.read(empty), contents(empty, 6)
    assert schema(empty, "baseline").code == 0
    call_command("migrate", database=empty.alias, verbosity=0)

    assert schema(empty, "to", "V6", "--yes").code == 0
    execute(empty, guide[1])

    assert catalog.read(empty) == schema_before
    assert contents(empty, 6) == rows_before


def test_local_times_become_utc_and_nothing_else_changes(
    guide: list[str], empty: BaseDatabaseWrapper
) -> None:
    built_by_flyway(empty, 7)
    schema_before = catalog.read(empty)
    history = value(empty, "SELECT count(*) FROM subscription_history")
    written = execute(empty, "SELECT created_at, updated_at FROM instance_configs ORDER BY tier")

    execute(empty, guide[0])

    shifted = execute(
        empty,
        "SELECT created_at + interval '7 hours', updated_at + interval '7 hours'"
        " FROM instance_configs ORDER BY tier",
    )
    assert shifted == written
    assert catalog.read(empty) == schema_before
    assert value(empty, "SELECT count(*) FROM subscription_history") == history
    assert (
        value(empty, "SELECT min(extract(hour FROM installed_on)) FROM flyway_schema_history") == 9
    )


def test_the_exit_codes_are_those_of_the_command() -> None:
    text = (ROOT / "docs" / "flyway.md").read_text("utf-8")
    section = text.partition("## Exit codes")[2].partition("\n## ")[0]

    assert [int(code) for code in re.findall(r"^\| (\d) \|", section, re.MULTILINE)] == list(Exit)
