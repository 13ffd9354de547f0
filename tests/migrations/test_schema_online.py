"""`schema to V9 --online` holds no table while its indexes are rebuilt."""

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db import catalog
from kitehub.management.schema import live as records
from kitehub.management.schema import move, online
from tests.migrations import rows
from tests.migrations.commands import schema
from tests.migrations.databases import execute, go_to, value

NODES = """
    SELECT relname, relfilenode FROM pg_class
    WHERE relkind = 'i' AND relname LIKE 'idx_%' AND relname <> 'idx_guest_events_type'
"""
# As late as V9: what comes later takes its locks in its own way.
TIMES = "idx_guest_events_timestamp"


def at_v8(empty: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    go_to(empty, 8)
    rows.fill(empty, 8)
    return empty


def test_online_ends_where_the_quick_way_ends(empty: BaseDatabaseWrapper) -> None:
    at_v8(empty)
    assert schema(empty, "to", "V9", "--yes").code == 0
    quick = catalog.read(empty)
    assert schema(empty, "to", "V8", "--yes").code == 0

    outcome = schema(empty, "to", "V9", "--yes", "--online")

    assert outcome.code == 0
    assert catalog.read(empty) == quick
    assert f"Dropping {TIMES}" in outcome.out
    assert f"Building {TIMES}" in outcome.out


def test_v9_itself_finds_no_index_to_rebuild(empty: BaseDatabaseWrapper) -> None:
    at_v8(empty)
    before = records.read(empty)
    way = move.plan(before, 9)
    online.shed(before, way)
    kept = dict(execute(empty, NODES))
    assert TIMES not in kept

    move.go(before, way)

    # A rebuilt index has a new file.
    assert dict(execute(empty, NODES)) == kept


def test_a_build_that_was_killed_is_finished_by_the_next_run(empty: BaseDatabaseWrapper) -> None:
    at_v8(empty)
    before = records.read(empty)
    way = move.plan(before, 9)
    online.shed(before, way)
    move.go(before, way)
    execute(empty, f'CREATE INDEX "{TIMES}" ON guest_events (timestamp DESC)')
    execute(
        empty,
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{TIMES}'::regclass",
    )

    assert schema(empty, "to", "V9", "--yes", "--online").code == 0

    assert value(empty, f"SELECT indisvalid FROM pg_index WHERE indexrelid = '{TIMES}'::regclass")
    connections[empty.alias].close()
    assert schema(empty, "validate").code == 0


def test_a_move_that_does_not_pass_v9_drops_no_index(empty: BaseDatabaseWrapper) -> None:
    at_v8(empty)
    outcome = schema(empty, "to", "V7", "--yes", "--online")
    assert outcome.code == 0
    assert "Dropping" not in outcome.out
    assert schema(empty, "validate").code == 0
