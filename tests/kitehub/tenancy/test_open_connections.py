"""The connections to silos that a thread, or a coroutine's threads, keep open."""

import asyncio
import threading
from contextlib import ExitStack

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, connections

from kitehub import tenancy
from kitehub.tenancy.connections import close_all, opened
from kitehub.tenancy.placement import undeclare
from tests.kitehub.tenancy.conftest import database, living_in

pytestmark = pytest.mark.django_db(transaction=True)


def _ask(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")


def _wait_for_sessions(databases: set[str], expected: set[str]) -> None:
    """Waits until somebody is connected to just these databases; a backend takes time to end."""
    found = None
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT datname FROM pg_stat_activity WHERE datname = ANY (%s)"
                " AND backend_type = 'client backend'",
                [list(databases)],
            )
            found = {name for (name,) in cursor.fetchall()}
            if found == expected:
                return
            cursor.execute("SELECT pg_sleep(0.05)")
    assert found == expected


def test_only_so_many_stay_open_and_the_oldest_goes_first(settings) -> None:
    settings.KITEHUB_OPEN_SILOS = 2
    close_all()
    with database() as one, database() as two, database() as three:
        schools = [living_in(name) for name in (one, two, three)]
        aliases = [tenancy.alias_of(school) for school in schools]
        for school, alias in [*zip(schools, aliases, strict=True), (schools[1], aliases[1])]:
            with tenancy.use(school), connections[alias].cursor() as cursor:
                cursor.execute("SELECT 1")
        assert opened() == [aliases[2], aliases[1]]
        _wait_for_sessions({one, two, three}, {two, three})
        close_all()
        _wait_for_sessions({one, two, three}, set())


def test_one_in_use_is_never_closed_under_its_user(settings) -> None:
    settings.KITEHUB_OPEN_SILOS = 0
    with database() as one, database() as two, tenancy.use(living_in(one)):
        alias = tenancy.alias_of(living_in(one))
        with connections[alias].cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE kept AS SELECT 1 AS n")
        with tenancy.use(living_in(two)):
            pass
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT n FROM kept")
            assert cursor.fetchone() == (1,)


def test_coroutines_leave_no_more_open_either(settings) -> None:
    settings.KITEHUB_OPEN_SILOS = 2
    with ExitStack() as stack:
        names = [stack.enter_context(database()) for _ in range(4)]
        schools = [living_in(name) for name in names]

        async def visit() -> list[str]:
            for school in schools:
                with tenancy.use(school):
                    await sync_to_async(_ask)(tenancy.alias_of(school))
            return await sync_to_async(opened)()

        aliases = [tenancy.alias_of(school) for school in schools]
        assert async_to_sync(visit)() == aliases[2:]
        _wait_for_sessions(set(names), set(names[2:]))
        # Without a loop the same thread takes its turns on.
        with tenancy.use(schools[0]):
            _ask(aliases[0])
        assert opened() == [aliases[3], aliases[0]]


def test_an_error_in_a_coroutine_stays_what_it_is(settings) -> None:
    settings.KITEHUB_OPEN_SILOS = 0
    with database() as name:
        school = living_in(name)

        async def fail() -> None:
            with tenancy.use(school):
                await sync_to_async(_ask)(tenancy.alias_of(school))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            asyncio.run(fail())


def test_aliases_appear_while_others_walk_over_them() -> None:
    """Django walks over all aliases with every request."""
    walked = threading.Event()
    errors: list[BaseException] = []

    def walk() -> None:
        try:
            while not walked.is_set():
                for alias in connections:
                    assert connections.settings[alias]["ENGINE"]
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=walk)
    thread.start()
    made = [tenancy.alias_of(living_in(f"none_{number}")) for number in range(300)]
    walked.set()
    thread.join()
    for alias in made:
        undeclare(alias)
    assert errors == []


def test_threads_have_connections_of_their_own() -> None:
    close_all()
    found: list[list[str]] = []
    with database() as name:
        alias = tenancy.alias_of(living_in(name))

        def work() -> None:
            with tenancy.use(living_in(name)), connections[alias].cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
            found.append(opened())
            close_all()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert found == [[alias]]
        assert opened() == []


def test_connection_that_the_server_ended_is_made_anew(monkeypatch) -> None:
    monkeypatch.setattr("kitehub.tenancy.connections._TRUSTED_SECONDS", -1.0)
    with database() as name:
        school = living_in(name)
        alias = tenancy.alias_of(school)
        with tenancy.use(school), connections[alias].cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
            cursor.execute("SELECT pg_sleep(0.1)")
        with tenancy.use(school), connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
        close_all()
