"""Which user of the operating system runs the embedded server, and what it needs of that user."""

import os
from pathlib import Path

from tests.kitehub.db.clients import Client, run_code, servers

# Everything is imported before: the nameless user may not be able to read the interpreter.
NAMELESS = """
import os, pwd
from django.db import connection
from kitehub.db.errors import EmbeddedServerError, explain
connection.server
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(12345)
    os.setuid(12345)
else:
    def unknown(uid):
        raise KeyError(uid)
    pwd.getpwuid = unknown
try:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'served'")
        print(cursor.fetchone()[0])
except EmbeddedServerError as error:
    print(explain(error))
"""


def give_to_the_nameless(data_dir: Path) -> None:
    if os.geteuid() == 0:
        for path in (data_dir, *data_dir.rglob("*")):
            os.chown(path, 12345, 12345)


def test_user_without_a_name_is_told_what_to_do_and_nothing_is_made(data_dir: Path) -> None:
    give_to_the_nameless(data_dir)
    uid = 12345 if os.geteuid() == 0 else os.geteuid()
    ended = run_code(data_dir, NAMELESS)
    assert ended.stdout == (
        f"The user id {uid} has no entry in /etc/passwd, and PostgreSQL makes a data folder only "
        "for a user with a name. Add an entry for it, or set DATABASE_URL.\n"
    )
    assert not list(data_dir.glob("postgres*/*"))


def test_user_without_a_name_is_served_from_data_that_was_made_elsewhere(data_dir: Path) -> None:
    with Client(data_dir) as named:
        named.ask("SELECT 1")
        named.end()
    give_to_the_nameless(data_dir)
    ended = run_code(data_dir, NAMELESS)
    assert (ended.stdout, ended.stderr) == ("served\n", "")
    assert servers(data_dir) == []
