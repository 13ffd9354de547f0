"""One run over many silos: what fails fails alone, and whoever comes again goes on."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.backends.signals import connection_created
from pytest_django import DjangoDbBlocker

from kitehub.db import catalog, locks
from kitehub.db.secrets import Secret
from kitehub.db.versions import MigrationKey
from kitehub.tenancy.fanout import Fanout, Result, State, Way, gather
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.tenancy.conftest import database, living_in
from tests.kitehub.tenancy.fleet import Fleet, fleet
from tests.migrations.later import later

Later = Callable[..., AbstractContextManager[list[MigrationKey]]]
COLUMN = 'operations = [migrations.AddField("storageusage", "{}", models.IntegerField(null=True))]'
ONE, TWO = COLUMN.format("one"), COLUMN.format("two")
SLOW = 'operations = [migrations.RunSQL("SELECT pg_sleep(0.5)", hints=USAGE)]'
# Waits until the test lets it go on.
HELD = 'operations = [migrations.RunSQL("SELECT pg_advisory_xact_lock_shared(9002)", hints=USAGE)]'


@pytest.fixture(scope="module")
def shared(migrated_silo: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Fleet]:
    with django_db_blocker.unblock(), fleet(migrated_silo, 3) as made:
        yield made


@pytest.fixture
def silos(shared: Fleet) -> Iterator[Fleet]:
    """Three silos, as they were before each test."""
    yield shared
    shared.forget("one", "two")


@pytest.fixture
def then(tmp_path: Path) -> Later:
    return partial(later, "storage", tmp_path)


def states(results: list[Result]) -> list[State]:
    return [result.state for result in results]


def test_silo_that_is_up_to_date_costs_one_query(silos: Fleet) -> None:
    seen: list[str] = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    def watched(sender: Any, connection: Any, **kwargs: Any) -> None:
        connection.execute_wrappers.append(watch)

    fanout = Fanout(jobs=1)
    fanout.run(silos.silos[:1])  # the plan is made here
    connection_created.connect(watched)
    try:
        assert states(fanout.run(silos.silos[1:2])) == [State.UP_TO_DATE]
    finally:
        connection_created.disconnect(watched)
    assert seen == ["SELECT app, name FROM django_migrations"]


def test_failed_silo_is_rolled_back_and_skipped_and_the_next_run_goes_on(
    silos: Fleet, then: Later
) -> None:
    silos.execute(1, "ALTER TABLE storage_usage ADD two integer")
    with then(one=ONE, two=TWO) as keys:
        results = silos.migrate(canaries=0)
        assert states(results) == [State.MIGRATED, State.FAILED, State.MIGRATED]
        assert results[1].done == keys[:1]
        assert results[1].left == keys[1:]
        assert results[1].error == (
            'storage.9002_two: ProgrammingError: column "two" of relation "storage_usage" '
            "already exists"
        )
        assert silos.recorded(1) & set(keys) == {keys[0]}

        silos.execute(1, "ALTER TABLE storage_usage DROP two")
        results = silos.migrate()
        assert states(results) == [State.UP_TO_DATE, State.MIGRATED, State.UP_TO_DATE]
        assert silos.recorded(1) >= set(keys)


def test_rest_stays_as_it_is_when_a_canary_fails(silos: Fleet, then: Later) -> None:
    silos.execute(0, "ALTER TABLE storage_usage ADD one integer")
    with then(one=ONE) as keys:
        results = silos.migrate(canaries=1, jobs=1)
        assert states(results) == [State.FAILED, State.HELD, State.HELD]
        assert not silos.recorded(2) & set(keys)
        assert results[2].left == keys


def test_silo_that_cannot_be_reached_fails_alone_and_is_no_canary(
    silos: Fleet, then: Later
) -> None:
    token = "s3cret-pass"
    elsewhere = InstanceFactory.build(
        database_url="postgres://127.0.0.1:1/gone",
        database_username="somebody",
        database_password=Secret(token),
    )
    gone, _ = gather([("gone", elsewhere)])
    with then(one=ONE):
        results = silos.migrate(silos=[*gone, *silos.silos], canaries=1)
    assert states(results) == [State.FAILED, *[State.MIGRATED] * 3]
    assert results[0].error == (
        "The server at 127.0.0.1:1 doesn't answer. Start it, or correct the host and port in "
        "the instance's database_url."
    )
    assert token not in str(results[0].cause)


def test_two_runs_at_once_do_everything_once(silos: Fleet, then: Later) -> None:
    with then(slow=SLOW, one=ONE) as keys:
        ended: list[list[Result]] = []
        runs = [
            threading.Thread(target=lambda: ended.append(silos.migrate(jobs=3))) for _ in range(2)
        ]
        for each in runs:
            each.start()
        for each in runs:
            each.join()
        assert len(ended) == 2
        for one, other in zip(*ended, strict=True):
            assert {one.state, other.state} == {State.MIGRATED, State.UP_TO_DATE}
        counts = silos.values("SELECT count(*) FROM django_migrations WHERE name LIKE '900%'")
        assert counts == [len(keys)] * 3


def test_silo_is_left_to_whoever_else_changes_its_schema(silos: Fleet, then: Later) -> None:
    connection = connections[silos.silos[0].alias]
    with then(one=ONE) as keys:
        with locks.held(connection, locks.SCHEMA) as free:
            assert free
            fanout = Fanout(jobs=3, canaries=0)
            ended: list[list[Result]] = []
            run = threading.Thread(target=lambda: ended.append(fanout.run(silos.silos)))
            run.start()
            while not silos.recorded(2) >= set(keys):
                time.sleep(0.05)
            assert run.is_alive()
        run.join()
        assert states(ended[0]) == [State.MIGRATED] * 3


def test_locked_table_is_not_waited_for_longer_than_said(silos: Fleet, then: Later) -> None:
    connection = connections[silos.silos[0].alias]
    with then(one=ONE), connection.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE storage_usage")
        results = silos.migrate(canaries=0, lock_timeout="50ms")
        assert states(results) == [State.FAILED, State.MIGRATED, State.MIGRATED]
        assert "has a table locked by somebody else" in results[0].error
        connection.close()
        assert states(silos.migrate()) == [State.MIGRATED, State.UP_TO_DATE, State.UP_TO_DATE]


def test_dry_run_changes_nothing(silos: Fleet, then: Later) -> None:
    before = silos.recorded()
    with then(one=ONE) as keys:
        results = silos.migrate(dry_run=True)
    assert states(results) == [State.TO_DO] * 3
    assert [result.left for result in results] == [keys] * 3
    assert silos.recorded() == before


def interrupted(
    silos: Fleet, ready: Callable[[], bool], then: Callable[[], object]
) -> list[Result]:
    """What is told of a run that Ctrl-C ends once it is ready for that; then `then` is called."""
    fanout = Fanout(jobs=2, canaries=0)

    def press() -> None:
        while not ready():
            time.sleep(0.02)
        _press()
        while not fanout._gate._stopped:
            time.sleep(0.02)
        then()

    told: list[Result] = []
    finger = threading.Thread(target=press)
    finger.start()
    with pytest.raises(KeyboardInterrupt):
        fanout.run(silos.silos, told.append)
    finger.join()
    return told


def _press() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def test_interrupt_lets_a_migration_end_and_starts_no_other(silos: Fleet, then: Later) -> None:
    with ExitStack() as locks_of_ours, then(one=ONE, held=HELD, two=TWO) as keys:
        for silo in silos.silos[:2]:
            other = locks_of_ours.enter_context(connections[silo.alias].cursor())
            other.execute("SELECT pg_advisory_lock(9002)")
        ours = [connections[silo.alias].connection for silo in silos.silos[:2]]

        def both_wait() -> bool:
            waiting = (
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND objid = 9002"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            return silos.values(waiting)[:2] == [1, 1]

        told = interrupted(silos, both_wait, then=lambda: [each.close() for each in ours])
        for silo in silos.silos[:2]:
            connections[silo.alias].close()
        assert [(each.state, each.done, each.left) for each in told] == [
            (State.STOPPED, keys[:2], keys[2:])
        ] * 2
        assert not silos.recorded(2) & set(keys)
        assert states(silos.migrate()) == [State.MIGRATED] * 3


def test_second_interrupt_cancels_and_rolls_back(silos: Fleet, then: Later) -> None:
    sleep = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE query ~ 'pg_sleep.60' AND pid <> pg_backend_pid()"
    )
    endless = ONE.replace("]", ', migrations.RunSQL("SELECT pg_sleep(60)", hints=USAGE)]')
    with then(endless=endless) as keys:
        told = interrupted(silos, lambda: silos.values(sleep)[0] >= 2, then=_press)
    assert [(each.state, each.done, each.left) for each in told] == [(State.STOPPED, [], keys)] * 2
    column = "SELECT count(*) FROM pg_attribute WHERE attname = 'one'"
    assert silos.values(column) == [0, 0, 0]


def test_empty_database_gets_what_a_silo_has(shared: Fleet, migrated_silo: str) -> None:
    with database(migrated_silo) as copied, database() as empty:
        schools = [living_in(copied), living_in(empty)]
        silos, _ = gather((school.subdomain, school) for school in schools)
        results = Fanout(jobs=2).run(silos)
        assert states(results) == [State.UP_TO_DATE, State.MIGRATED]
        ways = {step.way for step in results[1].steps}
        assert ways == {Way.SQL, Way.DJANGO, Way.RECORD}
        one, other = (catalog.read(connections[silo.alias]) for silo in silos)
        for silo in silos:
            connections[silo.alias].close()
        assert one == other


def test_instances_that_share_a_database_are_one_silo(silos: Fleet) -> None:
    name = silos.silos[0].address
    flatmate = living_in(name)
    flatmate.database_username = "somebody"
    found, misplaced = gather([("one", silos.schools[0]), ("two", flatmate)])
    assert [(silo.address, silo.tenants) for silo in found] == [(name, ("one", "two"))]
    assert not misplaced


def test_address_that_is_none_is_that_instances_failure(silos: Fleet) -> None:
    broken = InstanceFactory.build(database_url="mysql://u:s3cret@h/x")
    found, misplaced = gather([("broken", broken), ("one", silos.schools[0])])
    assert [silo.tenants for silo in found] == [("one",)]
    assert "s3cret" not in str(misplaced[0].error)
