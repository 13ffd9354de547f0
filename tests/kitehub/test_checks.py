"""The checks before a command name the key that is no key, and never the key."""

import os
import runpy

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks

from tests import programs
from tests.kitehub.db.sealed import NEW, OLD

DEVELOPMENT = "ZGV2ZWxvcG1lbnQtb25seS1rZXktMDAwMDAwMDAwMDA="


def errors() -> list[tuple[str, str]]:
    return [
        (found.id, found.msg)
        for found in run_checks(tags=["security"])
        if found.id and found.id.startswith("kitehub.")
    ]


@pytest.mark.parametrize("keys", [[NEW], [NEW, OLD]])
@pytest.mark.parametrize("debug", [True, False])
def test_good_keys_are_fine(keys: list[str], debug: bool, settings) -> None:
    settings.DEBUG = debug
    settings.KITEHUB_FIELD_KEYS = keys
    assert errors() == []


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("", "is empty"),
        ("short", "is not a Fernet key"),
        (NEW[:-2], "is not a Fernet key"),
        (NEW[:-5] + "====", "is not a Fernet key"),
        ("khoá" * 11, "is not a Fernet key"),
        (NEW + OLD, "is not a Fernet key"),
        (f"{NEW};{OLD}", "is not a Fernet key"),
        (f'"{NEW}"', "is not a Fernet key"),
    ],
)
def test_a_bad_key_is_named_by_its_position(bad: str, said: str, settings) -> None:
    settings.KITEHUB_FIELD_KEYS = [NEW, bad, OLD]
    assert errors() == [("kitehub.E001", f"KITEHUB_FIELD_KEYS: key 2 of 3 {said}.")]


def test_no_key_is_an_error(settings) -> None:
    settings.KITEHUB_FIELD_KEYS = []
    assert errors() == [("kitehub.E001", "KITEHUB_FIELD_KEYS holds no key.")]


@pytest.mark.parametrize("keys", [[DEVELOPMENT, NEW], [NEW, DEVELOPMENT]])
def test_the_development_key_is_an_error_outside_development(keys: list[str], settings) -> None:
    settings.KITEHUB_FIELD_KEYS = keys
    settings.DEBUG = True
    assert errors() == []
    settings.DEBUG = False
    number = keys.index(DEVELOPMENT) + 1
    assert errors() == [
        (
            "kitehub.E002",
            f"KITEHUB_FIELD_KEYS: key {number} of 2 is the development key, which everybody knows.",
        )
    ]


@pytest.mark.parametrize(
    ("variables", "assumed"),
    [
        ({}, False),
        ({"DATABASE_URL": "postgres://h/k"}, True),
        ({"DATABASE_URL": "postgres://h/k", "DJANGO_DEBUG": ""}, True),
        ({"DATABASE_URL": "postgres://h/k", "DJANGO_DEBUG": "on"}, False),
    ],
)
def test_debug_is_assumed_where_only_a_database_is_named(
    variables: dict[str, str], assumed: bool, monkeypatch
) -> None:
    for name in ("DATABASE_URL", "DJANGO_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    path = django_settings.BASE_DIR / "kitehub" / "settings.py"
    assert runpy.run_path(str(path))["DEBUG_IS_ASSUMED"] is assumed


def test_no_cookie_goes_over_plain_http_where_debug_is_off(monkeypatch) -> None:
    monkeypatch.setenv("DJANGO_DEBUG", "off")
    monkeypatch.setenv("SECRET_KEY", "x" * 60)
    monkeypatch.setenv("DATABASE_URL", "postgres://h/k")
    monkeypatch.setenv("KITEHUB_FIELD_KEYS", NEW)
    path = django_settings.BASE_DIR / "kitehub" / "settings.py"
    said = runpy.run_path(str(path))
    assert [said[f"{name}_COOKIE_SECURE"] for name in ("SESSION", "CSRF", "LANGUAGE")] == [True] * 3


def test_uncollected_static_files_stop_a_deployment(tmp_path, settings) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    settings.STATIC_ROOT = tmp_path

    def found() -> list[str]:
        return [
            message.id or ""
            for message in run_checks(tags=["staticfiles"], include_deployment_checks=True)
        ]

    assert found() == ["kitehub.E003"]
    (tmp_path / "staticfiles.json").write_text('{"paths": {}, "version": "1.1", "hash": ""}')
    assert found() == []


def test_the_development_key_is_the_one_of_the_settings(monkeypatch) -> None:
    monkeypatch.setenv("DJANGO_DEBUG", "on")
    monkeypatch.delenv("KITEHUB_FIELD_KEYS", raising=False)
    path = django_settings.BASE_DIR / "kitehub" / "settings.py"
    assert runpy.run_path(str(path))["KITEHUB_FIELD_KEYS"] == [DEVELOPMENT]


def test_a_command_stops_at_a_bad_key_and_does_not_print_it() -> None:
    bad = "no-key-of-anybody"
    given = {**os.environ, "KITEHUB_FIELD_KEYS": f"{NEW},{bad}"}
    done = programs.run("manage.py", "check", env=given)
    assert done.returncode == 1
    assert "KITEHUB_FIELD_KEYS: key 2 of 2 is not a Fernet key" in done.stderr
    assert bad not in done.stdout + done.stderr
    assert NEW not in done.stdout + done.stderr
