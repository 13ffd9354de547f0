"""Signing in and out, a new password by mail, and how often one may try."""

import re
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate
from django.core import mail
from django.test import Client
from django.utils import timezone

from kitehub.models import Email, Instance, SignInAttempts, User
from kitehub.services import emails, sign_ins
from tests.factories.kitehub import UserFactory
from tests.kitehub.portal.conftest import PASSWORD, texts

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str = "lan@example.vn", password: str = PASSWORD, **more):
    return client.post("/login/", {"username": email, "password": password}, **more)


def test_whoever_is_not_signed_in_is_asked_to_and_then_led_on(
    client: Client, school: Instance
) -> None:
    there = "/schools/sao-mai/bank/"
    asked = client.get(there)
    assert asked["Location"] == f"/login/?next={there}"
    assert client.get("/")["Location"] == "/login/?next=/"
    page = client.get(asked["Location"])
    assert "Đăng nhập" in texts(page)
    signed_in = client.post(
        "/login/", {"username": "LAN@example.vn", "password": PASSWORD, "next": there}
    )
    assert signed_in["Location"] == there
    assert client.get("/login/")["Location"] == "/"
    home = texts(client.get("/"))
    assert "Trung tâm Sao Mai" in home
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/").status_code == 302


def test_nobody_is_led_to_another_site(client: Client, school: Instance) -> None:
    answer = client.post(
        "/login/",
        {"username": "lan@example.vn", "password": PASSWORD, "next": "https://evil.example/"},
    )
    assert answer["Location"] == "/"


def test_staff_without_a_school_are_at_home_in_the_back_office(back_office: Client) -> None:
    assert back_office.get("/")["Location"] == "/admin/"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("lan@example.vn", "wrong"),
        ("nobody@example.vn", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
        ("lan\x00@example.vn", PASSWORD),
        ("lan@example.vn", "\x00"),
        ("x" * 300 + "@example.vn", PASSWORD),
    ],
)
def test_bad_input_is_an_error_on_the_page(
    email: str, password: str, client: Client, owner: User
) -> None:
    answer = sign_in(client, email, password)
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert client.get("/").status_code == 302


def test_too_many_attempts_are_not_looked_at_until_the_time_is_over(
    client: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(sign_ins.OF_ONE_LOGIN):
        answer = sign_in(client, password="wrong")
    assert "Bạn đã thử quá nhiều lần" in texts(answer)
    assert sign_in(client).status_code == 200, "not even with the right one"
    assert (
        client.post("/admin/login/", {"username": "lan@example.vn", "password": PASSWORD})
        .context["form"]
        .errors
    ), "nor by the other way in"
    assert sign_in(client, REMOTE_ADDR="10.0.0.9")["Location"] == "/", "others aren't locked out"
    later = timezone.now() + sign_ins.WINDOW
    monkeypatch.setattr("kitehub.sign_in.timezone.now", lambda: later)
    monkeypatch.setattr("kitehub.portal.forms.timezone.now", lambda: later)
    assert sign_in(Client())["Location"] == "/"


def test_async_code_has_no_more_attempts(owner: User, rf: Any) -> None:
    at = timezone.now()
    for _ in range(sign_ins.OF_ONE_LOGIN):
        sign_ins.count_attempt(login="lan@example.vn", address="127.0.0.1", at=at)
    said = {"username": "lan@example.vn", "password": PASSWORD}
    assert async_to_sync(aauthenticate)(rf.post("/"), **said) is None
    assert async_to_sync(aauthenticate)(rf.post("/", REMOTE_ADDR="10.0.0.9"), **said) == owner


def test_the_right_password_forgets_the_wrong_ones_and_old_counts_go(
    client: Client, owner: User
) -> None:
    at = timezone.now() - 2 * sign_ins.WINDOW
    for number in range(5):
        sign_ins.count_attempt(login=f"{number}@example.vn", address="10.0.0.1", at=at)
    assert SignInAttempts.objects.count() == 6
    sign_in(client, password="wrong")
    sign_in(client)
    # The address's own count stays until its time is over.
    assert [row.attempts for row in SignInAttempts.objects.all()] == [2]


def test_one_address_may_not_try_everybody(owner: User) -> None:
    at = timezone.now()
    for number in range(sign_ins.OF_ONE_ADDRESS):
        sign_ins.count_attempt(login=f"{number}@example.vn", address="10.0.0.1", at=at)
    with pytest.raises(sign_ins.TooManyAttempts):
        sign_ins.count_attempt(login="lan@example.vn", address="10.0.0.1", at=at)
    sign_ins.count_attempt(login="lan@example.vn", address="10.0.0.2", at=at)
    later = at + sign_ins.WINDOW
    assert sign_ins.minutes_left(login="lan@example.vn", address="10.0.0.1", at=later) == 0


def test_the_address_is_the_proxys_word_only_where_there_is_a_proxy(rf, settings) -> None:
    request = rf.get("/", headers={"x-forwarded-for": "1.1.1.1, 9.9.9.9"}, REMOTE_ADDR="10.0.0.1")
    assert sign_ins.address_of(request) == "10.0.0.1"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert sign_ins.address_of(request) == "9.9.9.9"
    for said in ("9.9.9.9, \x00", "<b>", "", "9.9.9.9, 1.2.3"):
        request = rf.get("/", headers={"x-forwarded-for": said}, REMOTE_ADDR="10.0.0.1")
        assert sign_ins.caller_of(request) == "10.0.0.1", "what is no address is nobody's word"
    request = rf.get("/", headers={"x-forwarded-for": "fe80::1%\x00"}, REMOTE_ADDR="10.0.0.1")
    assert sign_ins.caller_of(request) == "fe80::1"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_whoever_has_a_network_counts_as_one(address: str, counted: str, rf) -> None:
    assert sign_ins.address_of(rf.get("/", REMOTE_ADDR=address)) == counted


# --- A new password -----------------------------------------------------------------------------


def test_a_new_password_comes_by_mail_and_signs_its_owner_in(client: Client, owner: User) -> None:
    asked = client.post("/password/", {"email": " Lan@Example.vn "}, follow=True)
    assert "Nếu địa chỉ này có tài khoản" in texts(asked)
    client.post("/password/", {"email": "lan@example.vn"})
    (queued,) = Email.objects.all()
    assert emails.send(email_id=queued.pk) == "SENT"
    (link,) = re.findall(r"http://127\.0\.0\.1:8000(/password/\S+)", mail.outbox[0].body)

    page = client.get(link, follow=True)
    form = page.redirect_chain[-1][0]
    refused = client.post(form, {"new_password1": "abc", "new_password2": "abd"})
    assert refused.status_code == 200
    done = client.post(form, {"new_password1": "mới hẳn 2026", "new_password2": "mới hẳn 2026"})
    assert done["Location"] == "/"
    assert client.get("/").status_code == 200
    owner.refresh_from_db()
    assert owner.check_password("mới hẳn 2026")
    again = Client().get(link)
    assert "đã được dùng" in texts(again), "a link is good once"


def test_nobody_learns_who_has_an_account(client: Client, owner: User) -> None:
    UserFactory(email="gone@example.vn", is_active=False)
    known = client.post("/password/", {"email": "lan@example.vn"}, follow=True)
    for email in ("nobody@example.vn", "gone@example.vn"):
        unknown = client.post("/password/", {"email": email}, follow=True)
        hide = re.compile(r'value="[^"]{64}"')
        assert hide.sub("", texts(unknown)) == hide.sub("", texts(known))
    assert [email.recipient for email in Email.objects.all()] == ["lan@example.vn"]
    refused = client.post("/password/", {"email": "no address\x00"})
    assert refused.context["form"].errors


def test_nobody_asks_for_links_without_end(client: Client, owner: User) -> None:
    def ask(email: str, **more: str) -> Any:
        return client.post("/password/", {"email": email}, **more)

    for _ in range(sign_ins.OF_ONE_LOGIN):
        assert ask("lan@example.vn").status_code == 302
    for email in ("lan@example.vn", "Lan@Example.vn"):
        assert "thử quá nhiều lần" in texts(ask(email))
    assert ask("lan@example.vn", REMOTE_ADDR="10.0.0.9").status_code == 302
    assert sign_in(client)["Location"] == "/", "the password may still be tried"
    for number in range(sign_ins.OF_ONE_ADDRESS):
        answer = ask(f"{number}@example.vn")
    assert "thử quá nhiều lần" in texts(answer), "nor tries out who has an account"


def test_a_link_that_was_made_up_or_is_old_asks_for_a_new_one(
    client: Client, owner: User, settings
) -> None:
    assert "quá cũ" in texts(client.get("/password/MQ/abc-123/"))
    assert "quá cũ" in texts(client.get("/password/%00/abc/"))
    assert timedelta(days=1).total_seconds() == settings.PASSWORD_RESET_TIMEOUT


# --- Every page ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/login/", "/password/", "/password/MQ/abc-123/", "/nothing/"])
def test_pages_load_nothing_from_elsewhere_and_no_inline_code(path: str, client: Client) -> None:
    page = client.get(path)
    assert "script-src 'self';" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"
    markup = texts(page)
    assert not re.findall(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", markup)
    assert not re.findall(r"(?:src|href|action)=\"(?:https?:)?//", markup)


def test_the_language_is_changed_where_one_is(client: Client) -> None:
    page = client.post("/i18n/setlang/", {"language": "en", "next": "/password/"}, follow=True)
    assert page.redirect_chain == [("/password/", 302)]
    assert 'lang="en"' in texts(page)
    assert "New password" in texts(page)


def test_mail_comes_in_the_language_that_the_person_last_chose(client: Client) -> None:
    person = UserFactory(email="minh@example.vn", password=PASSWORD)

    def kept() -> str:
        person.refresh_from_db()
        return person.language

    client.post("/i18n/setlang/", {"language": "en"})
    assert (kept(), person.mail_language) == ("", "vi")
    sign_in(client, "minh@example.vn")
    assert (kept(), person.mail_language) == ("en", "en")
    for language in ("vi", "xx", "x" * 50, ""):
        client.post("/i18n/setlang/", {"language": language})
        assert kept() == "vi"
    client.post("/i18n/setlang/", {"language": "en"})
    Client().post("/password/", {"email": "minh@example.vn"})
    assert Email.objects.get().language == "en"
    User.objects.update(language="fr")
    assert kept()
    assert person.mail_language == "vi", "a language that the site doesn't speak any more"


def test_a_form_that_is_too_old_leads_to_a_page_that_can_be_read_in_another_language() -> None:
    answer = Client(enforce_csrf_checks=True).post("/logout/")
    assert answer.status_code == 403
    assert '<input type="hidden" name="next" value="/">' in answer.content.decode()
