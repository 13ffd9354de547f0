"""How the environment says where mail goes and what the site is called."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from kitehub import settings as module
from kitehub.services import emails


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}),
        (
            "smtp+tls://u:p%40ss@mail.example.vn:2525",
            {"EMAIL_HOST": "mail.example.vn", "EMAIL_PORT": 2525, "EMAIL_HOST_PASSWORD": "p@ss"},
        ),
        ("smtp+ssl://u:p@mail.example.vn", {"EMAIL_USE_SSL": True, "EMAIL_PORT": None}),
    ],
)
def test_one_address_says_how_mail_is_sent(
    url: str, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    said = module._email()
    assert {name: said[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("EMAIL_URL", "pigeon://u:sekret@host", "EMAIL_URL begins with 'pigeon'"),
        ("EMAIL_URL", "smtp://u:sekret@host:port", "EMAIL_URL can't be read"),
        ("KITEHUB_BASE_URL", "hub.example.vn", "set it to an address such as"),
        ("KITEHUB_BASE_URL", "https://hub.example.vn/path", "set it to an address such as"),
    ],
)
def test_what_can_not_be_is_named_without_a_password(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=words) as error:
        [module._email(), module._site_url()]
    assert "sekret" not in str(error.value)


def test_without_a_name_the_site_is_called_as_the_hosts_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KITEHUB_BASE_URL", "https://hub.example.vn/")
    assert module._site_url() == "https://hub.example.vn"
    monkeypatch.delenv("KITEHUB_BASE_URL")
    assert module._site_url() == "http://127.0.0.1:8000"
    monkeypatch.setattr(module, "DEBUG", False)
    monkeypatch.setattr(module, "ALLOWED_HOSTS", [".example.vn", "hub.example.vn"])
    assert module._site_url() == "https://hub.example.vn"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://hub.example.vn:8443", "hub.example.vn"),
        ("http://[2001:db8::1]:8000", "[2001:db8::1]"),
    ],
)
def test_messages_are_named_after_the_site(url: str, host: str, settings: Any) -> None:
    settings.KITEHUB_BASE_URL = url
    assert emails._host() == host
