"""The embedded server starts when it is needed, serves whoever comes, and ends with the last."""

import sys
from pathlib import Path

import pytest

from tests.kitehub.db.clients import (
    Client,
    manage,
    postmaster,
    run_code,
    servers,
)

STARTED = "SELECT pg_postmaster_start_time()"


def test_settings_and_an_unused_connection_start_nothing(data_dir: Path) -> None:
    ended = manage(data_dir, "check")
    assert ended.returncode == 0
    assert list(data_dir.iterdir()) == []


def test_first_connection_makes_a_utf8_database_of_the_project_without_a_word(
    data_dir: Path,
) -> None:
    with Client(data_dir) as client:
        encoding = "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'kitehub'"
        assert client.ask("SELECT current_database()") == "kitehub"
        assert client.ask(encoding) == "UTF8"
        assert client.ask("SELECT upper('nguyễn đạt')") == "NGUYỄN ĐẠT"
        assert client.end() == ""


@pytest.mark.parametrize(
    ("variables", "fsync"), [({}, "off"), ({"KITEHUB_EMBEDDED_FSYNC": ""}, "on")]
)
def test_server_is_durable_unless_told_otherwise(
    data_dir: Path, variables: dict[str, str], fsync: str
) -> None:
    with Client(data_dir, **variables) as client:
        assert client.ask("SHOW fsync") == fsync
        assert client.ask("SHOW synchronous_commit") == fsync


def test_server_stays_for_others_and_ends_with_the_last_process(data_dir: Path) -> None:
    with Client(data_dir) as first, Client(data_dir) as second:
        started = first.ask(STARTED)
        assert second.ask(STARTED) == started
        first.end()
        assert second.ask(STARTED) == started
        second.end()
    assert servers(data_dir) == []


def test_processes_that_start_at_once_on_an_empty_folder_share_one_server(data_dir: Path) -> None:
    clients = [Client(data_dir) for _ in range(4)]
    for client in clients:
        client.send(STARTED)
    assert len({client.receive() for client in clients}) == 1
    assert [client.end() for client in clients] == [""] * 4
    assert servers(data_dir) == []


def test_threads_that_connect_at_once_share_one_server(data_dir: Path) -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
from django.db import connection
def ask(_):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_postmaster_start_time()")
        return cursor.fetchone()
with ThreadPoolExecutor(8) as pool:
    print(len(set(pool.map(ask, range(8)))))
"""
    ended = run_code(data_dir, code)
    assert (ended.stdout, ended.stderr) == ("1\n", "")
    assert servers(data_dir) == []


def test_forked_child_keeps_the_server_beyond_its_parent_and_ends_it(data_dir: Path) -> None:
    code = """
import os, sys
from django.db import connection
def ask():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_postmaster_start_time()")
        return cursor.fetchone()
before = ask()
connection.close()
ready, parent_is_gone = os.pipe()
if os.fork():
    sys.exit()
os.close(parent_is_gone)
os.read(ready, 1)
print(ask() == before, flush=True)
connection.close()
"""
    # The output ends when the child does; only then has the server ended too.
    ended = run_code(data_dir, code)
    assert (ended.stdout, ended.stderr) == ("True\n", "")
    assert servers(data_dir) == []


def test_multiprocessing_child_does_not_end_the_server_of_its_parent(data_dir: Path) -> None:
    code = """
import multiprocessing
from django.db import connection
def ask():
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_postmaster_start_time()")
        return cursor.fetchone()[0].isoformat()
before = ask()
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.apply(ask) == before)
print(ask() == before)
"""
    ended = run_code(data_dir, code)
    assert (ended.stdout, ended.stderr) == ("True\nTrue\n", "")
    assert servers(data_dir) == []


def test_path_too_long_for_a_socket_gets_a_private_one_elsewhere(data_dir: Path) -> None:
    deep = data_dir / ("a path, with a comma " * 6).strip()
    with Client(deep) as client:
        socket_folder = Path(client.ask("SHOW unix_socket_directories"))
        assert socket_folder.stat().st_mode & 0o777 == 0o700
        assert len(str(socket_folder)) < 80
        assert client.end() == ""
    assert servers(deep) == []


def test_socket_and_data_are_closed_to_other_users(data_dir: Path) -> None:
    with Client(data_dir) as client:
        assert client.ask("SHOW listen_addresses") == ""
        assert client.ask("SHOW unix_socket_directories") == str(data_dir / "postgres")
        assert (data_dir / "postgres").stat().st_mode & 0o777 == 0o700
        assert postmaster(data_dir).uids().effective != 0


def test_test_database_is_made_beside_the_projects(data_dir: Path) -> None:
    code = """
import django
from django.db import connection
with connection._nodb_cursor() as cursor:
    cursor.execute("CREATE DATABASE test_kitehub_gw7")
connection.settings_dict["NAME"] = "test_kitehub_gw7"
with connection.cursor() as cursor:
    cursor.execute("SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database")
    print(cursor.fetchone()[0])
connection.close()
connection.settings_dict["NAME"] = "test_nobody_made"
try:
    connection.ensure_connection()
except django.db.OperationalError as error:
    print("does not exist" in str(error))
"""
    ended = run_code(data_dir, code)
    assert ended.stderr == ""
    assert ended.stdout == "postgres template0 template1 test_kitehub_gw7\nTrue\n"


def test_dbshell_opens_the_psql_of_the_server(data_dir: Path) -> None:
    # No psql on the way: the server's own is used.
    query = "SELECT current_database()"
    ended = manage(data_dir, "dbshell", "--", "-Atc", query, PATH=str(Path(sys.executable).parent))
    assert (ended.stdout, ended.stderr) == ("kitehub\n", "")
    assert servers(data_dir) == []
