"""`manage.py api_key` and what error reports tell of keys."""

import json
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from django.utils import timezone
from django.views.debug import ExceptionReporter

from kitehub.models import ApiKey, Instance
from kitehub.services import api_keys
from kitehub.services.api_keys import IssuedKey

Output = pytest.CaptureFixture[str]


@pytest.fixture
def run(capsys: Output, db: None) -> Any:
    def run(*words: str) -> str:
        capsys.readouterr()
        call_command("api_key", *words)
        return capsys.readouterr().out

    return run


def test_key_is_issued_and_shown(run: Any, school: Instance) -> None:
    words = ["issue", school.subdomain, "--name", "Website", "--scope", "orders:read"]
    said = run(*words)
    assert api_keys.authenticate(said.split()[-1]).instance == school
    data = json.loads(run(*words, "--scope", "orders:write", "--expires", "2099-06-30", "--json"))
    key = api_keys.authenticate(data["key"])
    assert key.scopes == data["scopes"] == ["orders:read", "orders:write"]
    assert key.expires_at.isoformat() == data["expires_at"] == "2099-06-29T17:00:00+00:00"
    assert key.created_by == "manage.py api_key"


def test_keys_are_listed_without_their_secrets(run: Any, issued: IssuedKey) -> None:
    (line,) = run("list", issued.key.instance.subdomain).splitlines()
    assert line.startswith(f"{issued.key.shown_prefix}  live")
    (data,) = json.loads(run("list", "--json"))
    assert (data["state"], data["last_used_at"]) == ("LIVE", None)
    assert not {"key", "secret_hash"} & set(data)
    api_keys.revoke(key=issued.key, actor="an")
    assert run("list", "--live") == ""


def test_key_is_rotated_by_prefix_or_id(run: Any, issued: IssuedKey) -> None:
    data = json.loads(run("rotate", issued.key.shown_prefix, "--overlap", "12h", "--json"))
    assert data["replaces"] == str(issued.key.pk)
    issued.key.refresh_from_db()
    assert issued.key.expires_at - timezone.now() <= timedelta(hours=12)
    said = run("rotate", data["id"], "--overlap", "0s")
    assert api_keys.authenticate(said.split()[-1])


def test_key_is_revoked_once(run: Any, issued: IssuedKey) -> None:
    assert "opens nothing" in run("revoke", issued.key.prefix, "--reason", "Leaked")
    assert "was revoked by manage.py api_key" in run("revoke", issued.key.prefix)
    assert json.loads(run("revoke", issued.key.prefix, "--json"))["revoked_now"] is False
    assert ApiKey.objects.get().revoked_reason == "Leaked"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("issue nobody --name A --scope orders:read", "no instance nobody"),
        ("issue {school} --name A --scope everything", "invalid choice"),
        ("issue {school} --name A", "--scope"),
        ("issue {school} --name A --scope orders:read --expires 2020-01-01", "to come"),
        ("issue {school} --name A --scope orders:read --expires soon", "no day or moment"),
        ("issue {school} --name A --scope orders:read --expires 2027-02-30", "no day or moment"),
        ("rotate kh_live_aaaaaaaaaa", "no key of this prefix"),
        ("rotate {key} --overlap soon", "no time such as"),
        ("rotate {key} --overlap 91d", "between 0 and 90 days"),
        ("rotate {key} --overlap -1d", "expected one argument"),
        ("revoke nothing", "no key of this prefix"),
        ("list nobody", "no instance nobody"),
    ],
)
def test_bad_input_is_one_line(run: Any, issued: IssuedKey, words: str, why: str) -> None:
    said = words.format(school=issued.key.instance.subdomain, key=issued.key.prefix)
    with pytest.raises(CommandError) as refused:
        run(*said.split())
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)
    assert ApiKey.objects.count() == 1


def test_error_report_shows_no_key_whatever_it_is_called(issued: IssuedKey) -> None:
    def failing(letter: str, header: dict[str, str]) -> None:
        api_keys.authenticate(letter, scope=header)  # type: ignore[arg-type]
        raise LookupError(len(letter))

    try:
        failing(issued.secret_text, {"Authorization": f"Bearer {issued.secret_text}"})
    except Exception:
        request = RequestFactory().get("/", headers={"authorization": issued.secret_text})
        reporter = ExceptionReporter(request, *sys.exc_info())
    reports = reporter.get_traceback_html() + reporter.get_traceback_text()
    assert "in failing" in reports
    assert issued.secret_text[-49:] not in reports
