"""`manage.py quickstart`, as a stranger runs it: once, again, interrupted, and on a taken port."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest

from kitehub.management.commands.quickstart import keep_archives, lead_links_to
from tests.kitehub.db.clients import ROOT, Client, environment, manage, servers, temporary_data_dir

STAFF = "FROM kitehub_users WHERE email = 'staff@kitehub.test'"


def quickstart(data_dir: Path, *arguments: str) -> str:
    """Runs it to its end and returns what it said."""
    ended = manage(data_dir, "quickstart", *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def password(said: str) -> str:
    found = re.search(r"^Password  (.+)$", said, re.MULTILINE)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def first_run() -> Iterator[tuple[Path, str]]:
    """A data folder on which quickstart has run once, without the demo, and what it said."""
    with temporary_data_dir() as data_dir:
        yield data_dir, quickstart(data_dir, "--no-demo", "--no-serve")


@pytest.fixture
def ready(first_run: tuple[Path, str]) -> Iterator[Path]:
    """The folder of the first run, on which no server may be left."""
    yield first_run[0]
    left = servers(first_run[0])
    for process in left:
        process.kill()
    assert left == []


class Serving:
    """A quickstart that serves; made once it has printed its address and login."""

    def __init__(self, data_dir: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "quickstart", "--no-demo", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=environment(data_dir),
        )
        assert self.process.stdout
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if line.startswith("Ctrl-C"):
                break
        found = re.search(r"^Admin     (http://127\.0\.0\.1:\d+)(/\S+)$", self.said, re.MULTILINE)
        assert found, self.said
        self.site, self.path = found.groups()

    def end(self, number: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=60)
        return self.process.returncode, rest


def browser() -> OpenerDirector:
    return build_opener(HTTPCookieProcessor(CookieJar()))


def test_first_run_says_each_step_and_the_login(first_run: tuple[Path, str]) -> None:
    said = first_run[1]
    steps = ["[1/4] PostgreSQL", "[2/4] Schema", "[3/4] Demo data", "[4/4] Staff login"]
    assert [line for line in said.splitlines() if line.startswith("[")] == steps
    assert "Applying kitehub.0001_users... OK" in said
    assert "Created staff@kitehub.test" in said
    assert len(password(said)) == 14


def test_later_run_keeps_the_login_and_loads_the_demo_once(ready: Path) -> None:
    second = quickstart(ready, "--no-serve")
    assert "Guest events" in second
    assert "Applying" not in second
    third = quickstart(ready, "--no-serve")
    assert "There is data already; nothing loaded" in third
    assert password(second) == password(third)
    # Staff, and the owner of a school of the demo.
    assert len(re.findall(r"^E-mail    \S+@\S+$", third, re.MULTILINE)) == 2
    assert set(re.findall(r"^Password  (.+)$", third, re.MULTILINE)) == {password(third)}
    assert password(third) in (ready / "quickstart-login.txt").read_text()


def test_login_file_is_for_its_owner_alone(ready: Path) -> None:
    assert (ready / "quickstart-login.txt").stat().st_mode & 0o777 == 0o600


def test_lost_login_file_gets_a_new_password_and_says_so(ready: Path) -> None:
    (ready / "quickstart-login.txt").unlink()
    said = quickstart(ready, "--no-demo", "--no-serve")
    assert "was lost, so staff@kitehub.test has a new password" in said
    assert password(quickstart(ready, "--no-demo", "--no-serve")) == password(said)


def test_password_that_somebody_chose_is_left_alone(ready: Path) -> None:
    with Client(ready) as client:
        client.ask(f"UPDATE kitehub_users SET password = 'chosen' WHERE id = (SELECT id {STAFF})")
        said = quickstart(ready, "--no-demo", "--no-serve")
        assert password(said) == "(the one you gave it)"
        assert client.ask(f"SELECT password {STAFF}") == "chosen"
        # What it says to do then works.
        (ready / "quickstart-login.txt").unlink()
        assert len(password(quickstart(ready, "--no-demo", "--no-serve"))) == 14
        client.end()


def test_printed_login_opens_the_printed_address(ready: Path) -> None:
    serving = Serving(ready)
    visitor = browser()
    with visitor.open(serving.site + serving.path, timeout=30) as page:
        html = page.read().decode()
        sign_in = page.url
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', html)
    stylesheet = re.search(r'href="(/static/[^"]+\.css)', html)
    assert token
    assert stylesheet
    assert browser().open(serving.site + stylesheet[1], timeout=30).status == 200
    form = {
        "csrfmiddlewaretoken": token[1],
        "username": "staff@kitehub.test",
        "password": password(serving.said),
        "next": serving.path,
    }
    with visitor.open(sign_in, urlencode(form).encode(), timeout=30) as page:
        assert page.url == serving.site + serving.path
        assert "csrfmiddlewaretoken" in page.read().decode()
    assert (ready / "archives").is_dir(), "where schools that are closed there go"
    assert serving.end(signal.SIGINT) == (0, "\nStopping.\n")


def test_taken_port_is_said_and_the_next_free_one_is_used(ready: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8000))
            taken.listen()
        except OSError:
            pass  # it is taken already
        serving = Serving(ready)
        assert "Port 8000 is in use; trying 8001." in serving.said
        assert not serving.site.endswith(":8000")
        assert serving.end(signal.SIGTERM)[0] == 128 + signal.SIGTERM


def test_links_in_mail_lead_to_the_port_that_serves(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.KITEHUB_BASE_URL = "http://127.0.0.1:8000"
    monkeypatch.delenv("KITEHUB_BASE_URL", raising=False)
    lead_links_to(8001)
    assert settings.KITEHUB_BASE_URL == "http://127.0.0.1:8001"
    monkeypatch.setenv("KITEHUB_BASE_URL", "https://hub.example.vn")
    lead_links_to(8002)
    assert settings.KITEHUB_BASE_URL == "http://127.0.0.1:8001", "who says where is believed"


def test_closed_schools_go_into_the_data_folder_unless_somebody_says_where(
    settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR, settings.KITEHUB_ARCHIVES = tmp_path / "data", ""
    keep_archives()
    assert Path(settings.KITEHUB_ARCHIVES) == tmp_path / "data" / "archives"
    assert Path(settings.KITEHUB_ARCHIVES).stat().st_mode & 0o777 == 0o700
    settings.KITEHUB_ARCHIVES = "/archives"
    keep_archives()
    assert settings.KITEHUB_ARCHIVES == "/archives", "who says where is believed"


def test_taken_port_that_was_asked_for_is_an_error_before_anything_is_made(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = manage(data_dir, "quickstart", "--port", str(port))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"Port {port} on 127.0.0.1 is in use." in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert list(data_dir.iterdir()) == []


def test_impossible_port_is_refused(data_dir: Path) -> None:
    ended = manage(data_dir, "quickstart", "--port", "70000")
    assert ended.returncode == 2
    assert "'70000' is no port" in ended.stderr


def test_production_is_refused(data_dir: Path) -> None:
    production = {
        "DJANGO_DEBUG": "off",
        "SECRET_KEY": "k" * 50,
        "KITEHUB_FIELD_KEYS": "ZGV2ZWxvcG1lbnQtb25seS1rZXktMDAwMDAwMDAwMDA=",
        "DATABASE_URL": "postgres://kitehub@127.0.0.1:1/kitehub",
    }
    ended = manage(data_dir, "quickstart", **production)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "runs with DJANGO_DEBUG on only" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_database_of_other_people_is_left_as_it_is_unless_debug_is_said(data_dir: Path) -> None:
    with Client(data_dir) as owner:
        folder = owner.ask("SHOW unix_socket_directories").replace("/", "%2F")
        url = f"postgres://postgres@{folder}:5432/kitehub"
        assert manage(data_dir, "migrate", DATABASE_URL=url, DJANGO_DEBUG="on").returncode == 0
        owner.ask(
            "INSERT INTO kitehub_users (email, password, full_name, is_superuser, is_staff,"
            " is_active) VALUES ('a@b.vn', '', '', false, false, true)"
        )
        steps = ["quickstart", "--no-demo", "--no-serve"]
        refused = manage(data_dir, *steps, DATABASE_URL=url)
        assert refused.returncode == 1
        assert "has people of its own" in refused.stderr
        assert owner.ask("SELECT count(*) FROM kitehub_users") == "1"
        assert manage(data_dir, *steps, DATABASE_URL=url, DJANGO_DEBUG="on").returncode == 0
        assert owner.ask("SELECT count(*) FROM kitehub_users") == "2"
        # Its own work it knows again, said or not.
        assert manage(data_dir, *steps, DATABASE_URL=url).returncode == 0
        owner.end()


def test_two_first_runs_at_once_make_one_login(data_dir: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "manage.py", "quickstart", "--no-demo", "--no-serve"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=environment(data_dir),
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert password(said[0]) == password(said[1])
    assert sorted("Created staff@kitehub.test" in one for one in said) == [False, True]


def test_killed_quickstart_is_healed_by_the_next(ready: Path) -> None:
    killed = Serving(ready)
    killed.end(signal.SIGKILL)
    assert servers(ready) != []
    healed = Serving(ready)
    assert password(healed.said) == password(killed.said)
    assert healed.end(signal.SIGINT)[0] == 0
