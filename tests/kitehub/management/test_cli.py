"""What an operator did wrong is one line on stderr and an exit code, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kitehub.db.clients import (
    ROOT,
    Client,
    environment,
    manage,
    servers,
    without_notices,
)

BUSY = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT 1")
    print("querying", flush=True)
    cursor.execute("SELECT pg_sleep(60)")
"""
UNREACHABLE = "postgres://kitehub:sekret@127.0.0.1:{port}/kitehub"


@pytest.fixture
def silent_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def the_line(ended: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failed command says."""
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1
    assert "sek" not in ended.stderr
    return ended.stderr


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DATABASE_URL", "mysql://kitehub:sekret@host/kitehub", "must start with postgres://"),
        ("DATABASE_URL", "postgres://kitehub:sekret@host:port/kitehub", "DATABASE_URL"),
        ("DATABASE_URL", "postgres://kitehub:sekret@host", "names no database"),
        ("DATABASE_URL", "postgres://kitehub:sek/ret@host/kitehub", "percent-encode"),
        ("DATABASE_URL", "postgres://kitehub:sekret@h/k?foo=bar&sslmode=require", "knows: foo."),
        ("DATABASE_URL", "postgres://kitehub:sekret@h/k?connect_timeout=soon", "must be a number"),
        ("DATABASE_URL", "postgres://kitehub:sekret@h/k?conn_max_age=long", "must be a number"),
        ("KITEHUB_EMBEDDED_FSYNC", "perhaps", "set it to on or off"),
        ("SECURE_HSTS_SECONDS", "a year", "set it to a number of seconds"),
        ("KITEHUB_GOODWILL_ALONE", "100.000", "set it to a number of đồng"),
        ("DJANGO_DEBUG", "perhaps", "DJANGO_DEBUG is 'perhaps'"),
        ("DJANGO_DEBUG", "off", "SECRET_KEY is not set"),
    ],
)
def test_wrong_setting_is_named(data_dir: Path, variable: str, value: str, said: str) -> None:
    assert said in the_line(manage(data_dir, "migrate", **{variable: value}))


@pytest.mark.parametrize("command", [["quickstart"], ["help", "quickstart"], ["nonsense"]])
def test_wrong_setting_is_named_by_commands_that_need_it_to_be_found(
    data_dir: Path, command: list[str]
) -> None:
    assert "DATABASE_URL" in the_line(manage(data_dir, *command, DATABASE_URL="mysql://x/y"))


def test_unreachable_server_is_named_without_the_password(data_dir: Path, silent_port: int) -> None:
    url = UNREACHABLE.format(port=silent_port)
    said = the_line(manage(data_dir, "migrate", DATABASE_URL=url))
    assert f"The server at 127.0.0.1:{silent_port} doesn't answer." in said


def test_unreachable_server_ends_runserver_too(data_dir: Path, silent_port: int) -> None:
    url = UNREACHABLE.format(port=silent_port)
    ended = manage(data_dir, "runserver", "0", DATABASE_URL=url)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("error: The server at 127.0.0.1")


def test_traceback_is_there_for_who_asks(data_dir: Path, silent_port: int) -> None:
    url = UNREACHABLE.format(port=silent_port)
    ended = manage(data_dir, "migrate", "--traceback", DATABASE_URL=url)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Traceback")


def test_unreadable_command_line_is_argparses_own(data_dir: Path) -> None:
    ended = manage(data_dir, "migrate", "--nonsense")
    assert ended.returncode == 2
    assert "unrecognized arguments: --nonsense" in ended.stderr


def test_data_folder_that_cannot_be_written_is_named(data_dir: Path) -> None:
    # Not even root makes a folder inside a file.
    (data_dir / "file").touch()
    said = the_line(manage(data_dir / "file" / "data", "migrate"))
    assert str(data_dir / "file") in said
    assert "Give KITEHUB_DATA_DIR a folder that you may write to" in said


def test_data_folder_of_another_postgresql_is_left_alone(data_dir: Path) -> None:
    version = data_dir / "postgres" / "PG_VERSION"
    version.parent.mkdir()
    version.write_text("14\n")
    said = the_line(manage(data_dir, "migrate"))
    assert "was made by PostgreSQL 14, and the embedded server is PostgreSQL 18" in said
    assert [path.name for path in version.parent.iterdir()] == ["PG_VERSION"]


def test_data_folder_with_something_else_in_it_is_left_alone(data_dir: Path) -> None:
    thesis = data_dir / "postgres" / "thesis.odt"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    assert "is not PostgreSQL's data" in the_line(manage(data_dir, "migrate"))
    assert thesis.read_text() == "years of work"


def test_role_without_rights_is_told_the_grant_and_leaves_nothing_half_done(data_dir: Path) -> None:
    tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    with Client(data_dir) as owner:
        owner.ask("CREATE ROLE limited LOGIN")
        socket_folder = owner.ask("SHOW unix_socket_directories").replace("/", "%2F")
        url = f"postgres://limited@{socket_folder}:5432/kitehub"
        said = the_line(manage(data_dir, "migrate", DATABASE_URL=url))
        grant = 'GRANT USAGE, CREATE ON SCHEMA public TO "limited";'
        assert grant in said
        assert owner.ask(tables) == "0"
        assert owner.ask(grant) == "done"
        assert manage(data_dir, "migrate", "kitehub", "0001", DATABASE_URL=url).returncode == 0
        owner.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_command_says_nothing_and_ends_the_server(
    data_dir: Path, number: signal.Signals
) -> None:
    shell = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", BUSY],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(data_dir),
        # Where the tests themselves run under nohup, it would be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    assert shell.stdout
    assert shell.stdout.readline() == "querying\n"
    os.kill(shell.pid, number)
    _, errors = shell.communicate(timeout=60)
    assert (shell.returncode, without_notices(errors)) == (128 + number, "")
    assert servers(data_dir) == []
