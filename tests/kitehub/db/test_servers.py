"""KITEHUB_SILO_SERVERS: names and addresses, and errors that say which, and never a password."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from kitehub.db.servers import servers


def test_blank_names_no_server() -> None:
    assert servers("") == servers("  ") == {}


@pytest.mark.parametrize(
    "text",
    [
        "b=postgres://hub:a,b=c@db2:5433/postgres?sslmode=require, c=postgres://hub@db3/postgres",
        '{"b": "postgres://hub:a,b=c@db2:5433/postgres?sslmode=require",'
        ' "c": "postgres://hub@db3/postgres"}',
    ],
)
def test_servers_are_written_as_a_list_or_as_json(text: str) -> None:
    found = servers(text)
    assert list(found) == ["b", "c"]
    assert found["b"].admin["PASSWORD"] == "a,b=c"
    assert found["b"].place == ("db2", "5433")
    assert found["c"].place == ("db3", "5432")


def test_address_of_a_silo_keeps_what_is_about_the_server_and_nothing_of_who_administers_it() -> (
    None
):
    (server,) = servers(
        "b=postgres://hub:pw@db2:5433/postgres?sslmode=verify-full&assume_role=x&password=pw"
    ).values()
    assert server.database_url("school") == "postgres://db2:5433/school?sslmode=verify-full"
    (socket,) = servers("b=postgres://hub@%2Frun%2Fpg/postgres").values()
    assert socket.database_url("school") == "postgres://%2Frun%2Fpg/school"


def test_no_password_is_ever_shown() -> None:
    assert "hidden" not in repr(servers("b=postgres://hub:hidden@db2/postgres"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("postgres://hub:hidden@db2/postgres", "stands before its address"),
        ("B!=postgres://hub:hidden@db2/postgres", "a server's name is of"),
        ("b=postgres:///postgres", "the address of b has no host"),
        ("b=postgres://hub:hidden@db2:x/postgres", "the address of b cannot be read"),
        ("b=postgres://hub:hidden@db2/", "names no database"),
        ("b=mysql://hub:hidden@db2/x", "must start with postgres://"),
        ("b=postgres://u:hidden@x/p,b=postgres://u:hidden@y/p", "names the server b twice"),
        ("b=postgres://u:hidden@x/p,c=postgres://u:hidden@x:5432/q", "b and c are the same server"),
        ('{"b": "postgres://u:hidden', "begins like JSON and is none"),
        ('{"b": ["hidden"]}', "each name must have an address"),
    ],
)
def test_what_cannot_be_read_is_one_line_without_the_password(text: str, says: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=says) as error:
        servers(text)
    assert "hidden" not in str(error.value)
