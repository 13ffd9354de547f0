"""An index that is built while its table is used, after a build that did not end."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from kitehub.db import catalog
from kitehub.db.indexes import Index
from kitehub.db.operations import BuildIndex, BuildUnique
from tests.migrations import rows
from tests.migrations.commands import ROOT, manage
from tests.migrations.databases import execute, go_to, url, value

NAME = "idx_payment_orders_transaction_reference"
STATE = f"""
    SELECT indisvalid, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indexrelid = to_regclass('{NAME}')
"""
WANTED = (
    True,
    f"CREATE INDEX {NAME} ON public.payment_orders USING btree (transaction_reference)"
    " WHERE (transaction_reference IS NOT NULL)",
)
MIGRATION = ("billing", "0005_v10_transaction_reference_index")


@pytest.fixture
def at_v9(empty: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    go_to(empty, 8)
    rows.fill(empty, 8)
    go_to(empty, 9)
    return empty


@pytest.fixture
def with_remains(at_v9: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """An invalid index of the name: another column, unique where it can't be."""
    with pytest.raises(Exception, match="could not create unique index"):
        execute(at_v9, f"CREATE UNIQUE INDEX CONCURRENTLY {NAME} ON payment_orders (version)")
    ((valid, _),) = execute(at_v9, STATE)
    assert not valid
    return at_v9


@contextmanager
def open_transaction(live: BaseDatabaseWrapper) -> Iterator[None]:
    """Somebody who writes an order and takes their time."""
    with psycopg.connect(url(live)) as other:
        other.execute("UPDATE payment_orders SET amount = amount + 1")
        yield
        other.rollback()


def test_remains_of_a_failed_build_are_replaced(with_remains: BaseDatabaseWrapper) -> None:
    MigrationExecutor(with_remains).migrate([MIGRATION])
    assert execute(with_remains, STATE) == [WANTED]


def test_djangos_own_operation_stops_at_such_remains(
    with_remains: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = MigrationExecutor(with_remains)
    (ours,) = executor.loader.graph.nodes[MIGRATION].operations
    monkeypatch.setattr(
        executor.loader.graph.nodes[MIGRATION],
        "operations",
        [AddIndexConcurrently(model_name=ours.model_name, index=ours.index)],
    )
    with pytest.raises(ProgrammingError, match="already exists"):
        executor.migrate([MIGRATION])


def test_sound_index_of_the_name_is_not_dropped(at_v9: BaseDatabaseWrapper) -> None:
    execute(at_v9, f"CREATE INDEX {NAME} ON payment_orders (version)")
    before = execute(at_v9, STATE)
    with pytest.raises(ProgrammingError, match="already exists"):
        MigrationExecutor(at_v9).migrate([MIGRATION])
    assert execute(at_v9, STATE) == before


def test_sound_index_that_a_killed_run_had_built_is_kept(at_v9: BaseDatabaseWrapper) -> None:
    """Of several builds in a migration the first are done before a kill, and nothing says so."""
    execute(at_v9, WANTED[1].replace(" public.", " "))
    (before,) = execute(at_v9, f"SELECT '{NAME}'::regclass::oid")

    MigrationExecutor(at_v9).migrate([MIGRATION])

    assert execute(at_v9, STATE) == [WANTED]
    assert execute(at_v9, f"SELECT '{NAME}'::regclass::oid") == [before]


@pytest.mark.parametrize("kept", [1, 2])
def test_a_migration_that_was_killed_between_two_builds_goes_on(
    current: BaseDatabaseWrapper, kept: int
) -> None:
    """Whichever of them were there: a run that was killed is as one whose record is missing."""
    executor = MigrationExecutor(current)
    many = [
        key
        for key, node in executor.loader.graph.nodes.items()
        if len([each for each in node.operations if isinstance(each, BuildIndex | BuildUnique)]) > 1
    ]
    assert len(many) > 5
    whole = catalog.read(current)
    for app, name in many:
        builds = executor.loader.graph.nodes[app, name].operations
        for each in builds[kept:]:
            index = each.index if isinstance(each, BuildIndex) else each.constraint
            execute(current, f"DROP INDEX {index.name}")
        executor.recorder.record_unapplied(app, name)
    assert catalog.read(current) != whole
    executor = MigrationExecutor(current)
    nodes = executor.loader.graph.nodes
    executor.migrate([], plan=[(nodes[key], False) for key in many])
    assert catalog.read(current) == whole


def test_build_outwaits_lock_timeout_and_a_killed_one_is_finished_by_the_next(
    at_v9: BaseDatabaseWrapper,
) -> None:
    building = "query LIKE 'CREATE INDEX CONCURRENTLY%' AND datname = current_database()"
    with open_transaction(at_v9):
        killed = subprocess.Popen(
            [sys.executable, "manage.py", "migrate", *MIGRATION, "--lock-timeout", "50ms"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url(at_v9)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not execute(at_v9, STATE):
            assert killed.poll() is None
            time.sleep(0.05)
        time.sleep(0.5)  # ten times what it would wait for a table
        assert value(at_v9, f"SELECT count(*) FROM pg_stat_activity WHERE {building}") == 1
        execute(at_v9, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {building}")
        _, errors = killed.communicate(timeout=60)
    assert (killed.returncode, errors.count("\n")) == (1, 1)
    ((valid, _),) = execute(at_v9, STATE)
    assert not valid

    assert manage(at_v9, "migrate", *MIGRATION).code == 0

    assert execute(at_v9, STATE) == [WANTED]


def test_the_state_knows_the_index_and_renders_no_model_for_it() -> None:
    state = MigrationLoader(None).project_state()
    rendered = state.apps.get_model("kitehub", "instance")
    built = BuildIndex("instance", Index(fields=["name"], name="idx_instances_of_a_test"))

    after = state.clone()
    built.state_forwards("kitehub", after)

    wanted = after.models["kitehub", "instance"].get_index_by_name("idx_instances_of_a_test")
    assert wanted.fields == ["name"]
    assert after.apps.get_model("kitehub", "instance") is rendered
    assert "idx_instances_of_a_test" in {index.name for index in rendered._meta.indexes}
    assert "idx_instances_of_a_test" not in {
        index.name for index in state.models["kitehub", "instance"].options["indexes"]
    }
