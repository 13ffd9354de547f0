"""V9 gives every time of the plan its zone: no rewrite, no shift, and a way back."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db import catalog
from tests.migrations import plan_sql, rows
from tests.migrations.databases import database, execute, go_to

PLAIN, ZONED = "timestamp without time zone", "timestamp with time zone"


class State(NamedTuple):
    """What a database has at one moment."""

    types: dict[str, str]
    files: list[tuple[object, ...]]
    utc: dict[str, list[tuple[object, ...]]]


def state(live: BaseDatabaseWrapper) -> State:
    """The times of the plan's tables: their types, the tables' files, and the values in UTC."""
    columns = {
        f"{key.table}.{key.name}": items["type"]
        for key, items in catalog.read(live).items()
        if key.kind == "column" and key.table in rows.tables(8) and "timestamp" in items["type"]
    }
    names = ", ".join(f"'{table}'" for table in rows.tables(8))
    values = {}
    for column, kind in columns.items():
        table, name = column.split(".")
        in_utc = f'"{name}"' if kind == PLAIN else f"\"{name}\" AT TIME ZONE 'UTC'"
        values[column] = execute(live, f"SELECT ({in_utc})::text FROM {table} ORDER BY ctid")
    files = execute(
        live,
        "SELECT oid::regclass::text, pg_relation_filenode(oid) FROM pg_class"
        f" WHERE relname IN ({names}) ORDER BY 1",
    )
    return State(columns, files, values)


@pytest.fixture(params=["UTC", "Asia/Ho_Chi_Minh"])
def at_eight(request: pytest.FixtureRequest) -> Iterator[BaseDatabaseWrapper]:
    """A database at V8 with rows, whose sessions are in one zone or the other."""
    with database() as live:
        live.settings_dict["TIME_ZONE"] = request.param
        go_to(live, 8)
        rows.fill(live, upto=8)
        yield live


def test_times_get_a_zone_and_come_back_without_a_rewrite_or_a_shift(
    at_eight: BaseDatabaseWrapper,
) -> None:
    before = state(at_eight)
    go_to(at_eight, 9)
    zoned = state(at_eight)
    go_to(at_eight, 8)
    after = state(at_eight)

    assert len(before.types) == sum(
        len(re.findall(r"^ +\w+ TIMESTAMP\b", plan_sql.as_written(version), re.MULTILINE))
        for version in plan_sql.VERSIONS
    )
    assert set(before.types.values()) == {PLAIN}
    assert set(zoned.types.values()) == {ZONED}
    assert zoned.types.keys() == before.types.keys()
    assert zoned.files == before.files
    assert zoned.utc == before.utc
    assert after == before


def test_no_value_is_lost_among_those_that_are_compared(at_eight: BaseDatabaseWrapper) -> None:
    values = state(at_eight).utc

    assert ("2026-01-31 23:30:00",) in values["instance_configs.created_at"]
    assert ("2026-02-28 00:00:00.000001",) in values["instance_configs.created_at"]
    assert ("2026-02-14 09:00:00",) in values["instances.trial_expires_at"]
