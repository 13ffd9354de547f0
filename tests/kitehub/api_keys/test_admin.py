"""Keys in the back office: issued, rotated and revoked by who may, and shown once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kitehub.key_format import PATTERN
from kitehub.models import ApiKey, Instance
from kitehub.services import api_keys
from kitehub.services.api_keys import IssuedKey
from tests.factories.kitehub import ApiKeyFactory, UserFactory
from tests.kitehub.backoffice.pages import form_of, list_url, messages_of, page_url

ADD = reverse("admin:kitehub_apikey_add")


def page_of(key: ApiKey, name: str) -> str:
    return reverse(f"admin:kitehub_apikey_{name}", args=[key.pk])


def shown(answer: Any) -> str:
    """The key that a page shows, which is nowhere else."""
    (text,) = set(re.findall(PATTERN, answer.content.decode()))
    assert "no-store" in answer["Cache-Control"]
    return str(text)


def entered(school: Instance, **said: Any) -> dict[str, Any]:
    return {"instance": str(school.pk), "name": "Website", "scopes": ["orders:read"], **said}


def test_issued_key_is_shown_once(back_office: Client, school: Instance) -> None:
    assert form_of(back_office.get(ADD))["reason"] == ""
    answer = back_office.post(ADD, entered(school, reason="asked by phone"))
    assert answer.status_code == 200
    text = shown(answer)
    key = api_keys.authenticate(text)
    assert (key.instance, key.scopes, key.created_by) == (
        school,
        ["orders:read"],
        "staff@kitehub.test",
    )
    entry = LogEntry.objects.get()
    kept = [entry.object_repr, entry.change_message, str(dict(back_office.session))]
    kept += [back_office.cookies.output()]
    pages = [list_url(ApiKey), page_url(key), page_url(key, "history"), ADD]
    kept += [back_office.get(page).content.decode() for page in pages]
    assert not [each for each in kept if text[-49:] in each]
    assert "asked by phone" in kept[-2]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("name", {"name": "a\tb"}),
        ("scopes", {"scopes": []}),
        ("scopes", {"scopes": ["everything"]}),
        ("expires_at", {"expires_at_0": "01/01/2020", "expires_at_1": "00:00"}),
        ("instance", {"instance": "nobody"}),
    ],
)
def test_impossible_key_is_an_error_of_its_field(
    back_office: Client, school: Instance, field: str, said: dict[str, Any]
) -> None:
    answer = back_office.post(ADD, entered(school, **said))
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]
    assert not ApiKey.objects.exists()


def test_closed_instance_gets_no_key(back_office: Client, school: Instance) -> None:
    Instance.objects.update(status="CLOSED")
    answer = back_office.post(ADD, entered(school))
    assert list(answer.context["adminform"].form.errors) == ["__all__"]
    assert not ApiKey.objects.exists()
    assert not LogEntry.objects.exists()


def test_rotation_asks_and_then_shows_the_new_key(back_office: Client, issued: IssuedKey) -> None:
    page = page_of(issued.key, "rotate")
    form = form_of(back_office.get(page))
    assert ApiKey.objects.count() == 1  # a GET changes nothing
    answer = back_office.post(page, {**form, "overlap": "PT1H", "reason": "routine"})
    new = api_keys.authenticate(shown(answer))
    assert (new.replaces, new.created_by) == (issued.key, "staff@kitehub.test")
    ends = ApiKey.objects.get(pk=issued.key.pk).expires_at
    assert timedelta(minutes=59) < ends - timezone.now() <= timedelta(hours=1)
    again = back_office.post(page, {**form, "overlap": "P0D", "reason": "again"}, follow=True)
    assert messages_of(again) == ["Khóa này đã được một khóa khác thay thế."]
    assert ApiKey.objects.count() == 2
    wrong = back_office.post(page_of(new, "rotate"), {**form, "overlap": "P99Y"})
    assert sorted(wrong.context["form"].errors) == ["overlap", "reason"]


def test_revocation_asks_and_keeps_who_and_why(back_office: Client, issued: IssuedKey) -> None:
    page = page_of(issued.key, "revoke")
    form = form_of(back_office.get(page))
    assert ApiKey.objects.get().revoked_at is None
    back_office.post(page, {**form, "reason": "lộ trên GitHub"})
    key = ApiKey.objects.get()
    assert (key.revoked_by, key.revoked_reason) == ("staff@kitehub.test", "lộ trên GitHub")
    back_office.post(page, {**form, "reason": "again"})
    assert ApiKey.objects.get().revoked_reason == "lộ trên GitHub"
    assert LogEntry.objects.count() == 1
    assert "lộ trên GitHub" in back_office.get(page_url(key)).content.decode()
    assert "lộ trên GitHub" in back_office.get(page_url(key, "history")).content.decode()


def test_key_is_otherwise_read_only(back_office: Client, issued: IssuedKey) -> None:
    before = ApiKey.objects.values().get()
    assert back_office.post(page_url(issued.key), {"name": "b"}).status_code == 403
    assert back_office.post(page_url(issued.key, "delete"), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [issued.key.pk], "post": "yes"}
    back_office.post(list_url(ApiKey), chosen)
    assert ApiKey.objects.values().get() == before


@pytest.mark.parametrize(
    ("right", "allowed"),
    [("view", set()), ("add", {"issue", "rotate"}), ("change", {"revoke"}), ("delete", set())],
)
def test_each_deed_has_its_permission(
    client: Client, issued: IssuedKey, right: str, allowed: set[str]
) -> None:
    clerk = UserFactory(staff=True)
    wanted = Permission.objects.filter(codename__in=[f"{right}_apikey", "view_apikey"])
    clerk.user_permissions.add(*wanted)
    client.force_login(clerk)
    page = client.get(page_url(issued.key)).content.decode()
    for deed in ("issue", "rotate", "revoke"):
        address = ADD if deed == "issue" else page_of(issued.key, deed)
        expected = 200 if deed in allowed else 403
        assert client.get(address).status_code == expected, deed
        if deed != "issue":
            assert (address in page) == (deed in allowed)
        if deed not in allowed:
            assert client.post(address, {"overlap": "P0D"}).status_code == 403
    assert ApiKey.objects.get().state(at=timezone.now()).value == "LIVE"


def test_list_filters_by_state_and_finds_by_prefix(back_office: Client, issued: IssuedKey) -> None:
    now = timezone.now()
    ended = ApiKeyFactory(at=now - timedelta(days=2), expires_at=now - timedelta(days=1))
    revoked = ApiKeyFactory()
    api_keys.revoke(key=revoked, actor="an")

    def found(**asked: str) -> set[ApiKey]:
        return set(back_office.get(list_url(ApiKey), asked).context["cl"].result_list)

    assert found(state="LIVE") == {issued.key}
    assert found(state="EXPIRED") == {ended}
    assert found(state="REVOKED") == {revoked}
    assert found(state="bogus") == found() == {issued.key, ended, revoked}
    for term in (issued.key.prefix, issued.key.shown_prefix, issued.key.instance.subdomain):
        assert found(q=term) == {issued.key}
    assert found(q="kh_live_") == set()


def test_address_of_no_key_leads_nowhere(back_office: Client, issued: IssuedKey) -> None:
    for deed in ("rotate", "revoke"):
        address = page_of(issued.key, deed).replace(str(issued.key.pk), "nothing")
        assert back_office.get(address).status_code == 404
        assert back_office.post(address, {"overlap": "P0D"}).status_code == 404
