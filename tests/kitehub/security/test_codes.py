"""Signing in with a code: set up, asked for wherever the password was typed, lost and reset."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from kitehub import totp
from kitehub.admin.users import UserAdmin
from kitehub.models import SecondFactor, SecurityEvent, User
from kitehub.services import second_factors, sign_ins
from tests.factories.kitehub import UserFactory

pytestmark = pytest.mark.django_db

PASSWORD = "a long password"
# As unfold's dialogs send it.
SENT = {"_form_submitted": "True"}
SET_UP = reverse("admin:kitehub_user_second_factor")
AT = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The time of the pages that take codes; moved by hand."""
    now = [timezone.now()]
    for module in ("kitehub.portal.views", "kitehub.admin.second_factor"):
        monkeypatch.setattr(f"{module}.timezone.now", lambda: now[0])

    def later(**by: int) -> None:
        now[0] += timedelta(**by)

    later.now = lambda: now[0]  # type: ignore[attr-defined]
    return later


@pytest.fixture
def member() -> User:
    return UserFactory(staff=True, email="lan@kitehub.test", password=PASSWORD)


def code(user: User, clock: Any) -> str:
    secret = SecondFactor.objects.get(user=user).secret.reveal()
    return totp.code_at(secret, totp.step_of(clock.now()))


def sign_in(client: Client, page: str = "/admin/login/", email: str = "lan@kitehub.test") -> Any:
    return client.post(page, {"username": email, "password": PASSWORD, "next": "/admin/"})


def shown(client: Client, password: str = PASSWORD) -> str:
    """The page that shows what to scan, to who knows the password."""
    return client.post(SET_UP, {"deed": "show", "show-password": password}).text


def turning_on(page: str, user: User, clock: Any) -> dict[str, str]:
    proof = re.search(r'name="on-proof" value="([^"]+)"', page)
    assert proof, "the page shows no secret"
    return {"deed": "on", "on-proof": proof[1], "on-code": code(user, clock)}


def secret_on(page: str) -> str:
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert found, "the page shows no secret"
    return found[1].replace(" ", "")


def set_up(client: Client, user: User, clock: Any) -> list[str]:
    """Turns codes on as a person does; their backup codes."""
    client.force_login(user)
    page = shown(client)
    assert "data:image/svg+xml" in page
    answer = client.post(SET_UP, turning_on(page, user, clock))
    assert "no-store" in answer["Cache-Control"]
    clock(seconds=31)
    return re.findall(r"<li>(\w{5}-\w{5})</li>", answer.content.decode())


def test_a_person_sets_up_codes_and_is_asked_for_one(
    client: Client, member: User, clock: Any
) -> None:
    other = Client()
    other.force_login(member)
    codes = set_up(client, member, clock)
    assert len(set(codes)) == 10
    assert other.get("/admin/").status_code == 302, "sessions begun without a code are over"
    assert client.get("/admin/").status_code == 200
    assert codes[0] not in client.get(SET_UP).content.decode(), "shown once"
    client.post("/admin/logout/")
    for page in ("/admin/login/", "/login/"):
        browser = Client()
        sign_in(browser, page)
        asked = browser.get("/admin/")
        assert asked["Location"] == "/login/code/?next=/admin/"
        for closed in ("/", "/admin/kitehub/user/", SET_UP, "/admin/password_change/"):
            assert browser.get(closed)["Location"].startswith("/login/code/")
            assert browser.post(closed)["Location"].startswith("/login/code/")
        assert browser.get(asked["Location"]).status_code == 200
        wrong = browser.post("/login/code/", {"code": "000000", "next": "/admin/"})
        assert "Mã này không đúng" in wrong.content.decode()
        given = code(member, clock)
        right = browser.post("/login/code/", {"code": given, "next": "/admin/"})
        assert right["Location"] == "/admin/"
        assert browser.get("/admin/").status_code == 200
        again = Client()
        sign_in(again, page)
        assert again.post("/login/code/", {"code": given}).status_code == 200, "good once"
        clock(seconds=31)
    kinds = set(SecurityEvent.objects.filter(user=member).values_list("kind", flat=True))
    assert kinds >= {"FACTOR_ON", "CODE_ASKED", "CODE_REFUSED", "SIGNED_IN", "SIGNED_OUT"}


def test_a_link_to_a_new_password_is_no_way_around_it(
    client: Client, member: User, clock: Any
) -> None:
    set_up(client, member, clock)
    member.refresh_from_db()
    key = urlsafe_base64_encode(force_bytes(member.pk))
    link = f"/password/{key}/{default_token_generator.make_token(member)}/"
    browser = Client()
    form = browser.get(link)["Location"]
    fresh = {"new_password1": "mật khẩu mới 1", "new_password2": "mật khẩu mới 1"}
    browser.post(form, fresh)
    assert browser.get("/admin/")["Location"].startswith("/login/code/")
    assert SecurityEvent.objects.filter(
        kind="PASSWORD_CHANGED", user=member, details__way="mail"
    ).exists()


def test_backup_codes_are_good_once_each(client: Client, member: User, clock: Any) -> None:
    first, second, *_ = set_up(client, member, clock)
    browser = Client()
    sign_in(browser)
    assert browser.post("/login/code/", {"code": first.upper().replace("-", " ")})["Location"]
    browser = Client()
    sign_in(browser)
    assert browser.post("/login/code/", {"code": first}).status_code == 200
    assert browser.post("/login/code/", {"code": second}).status_code == 302
    page = browser.get(SET_UP).content.decode()
    assert "còn 8 mã dự phòng" in page
    answer = browser.post(SET_UP, {"deed": "anew", "anew-code": code(member, clock)})
    assert len(re.findall(r"<li>(\w{5}-\w{5})</li>", answer.content.decode())) == 10


def test_it_takes_password_and_code_to_turn_codes_off(
    client: Client, member: User, clock: Any
) -> None:
    set_up(client, member, clock)
    given = code(member, clock)
    wrong = {"deed": "off", "off-password": "wrong", "off-code": given}
    client.post(SET_UP, wrong)
    assert User.objects.get(pk=member.pk).asks_for_code
    client.post(SET_UP, {**wrong, "off-password": PASSWORD})
    assert not User.objects.get(pk=member.pk).asks_for_code
    assert not SecondFactor.objects.filter(user=member, confirmed_at__isnull=False).exists()
    browser = Client()
    sign_in(browser)
    assert browser.get("/admin/").status_code == 200


def test_it_takes_the_password_to_see_the_secret(client: Client, member: User, clock: Any) -> None:
    client.force_login(member)
    assert "data:image/svg+xml" not in client.get(SET_UP).text
    for _ in range(sign_ins.OF_ONE_LOGIN):
        page = shown(client, "wrong")
        assert "Mật khẩu không đúng" in page
        assert "data:image/svg+xml" not in page
    assert "Bạn đã thử quá nhiều lần" in shown(client)
    assert not SecondFactor.objects.exists(), "nobody made one"
    clock(minutes=16)
    page = shown(client)
    sent = turning_on(page, member, clock)
    again = client.post(SET_UP, {**sent, "on-code": "000000"}).text
    assert "Mã này không đúng" in again
    assert secret_on(again) == secret_on(page), "to try once more"
    assert "on-proof" not in client.get(SET_UP).text
    client.post(SET_UP, turning_on(again, member, clock))
    assert User.objects.get(pk=member.pk).asks_for_code


def test_no_other_proof_of_the_password_will_do(
    client: Client, member: User, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(member)
    sent = turning_on(shown(client), member, clock)
    other = Client()
    other.force_login(UserFactory(staff=True, password=PASSWORD))
    foreign = re.search(r'name="on-proof" value="([^"]+)"', shown(other))
    assert foreign
    for proof in ("", "rubbish", foreign[1]):
        page = client.post(SET_UP, {**sent, "on-proof": proof}).text
        assert "data:image/svg+xml" not in page
        assert "Hãy nhập lại mật khẩu" in page
    late = time.time() + second_factors.SET_UP_WITHIN.total_seconds() + 1
    monkeypatch.setattr("django.core.signing.time.time", lambda: late)
    assert "Hãy nhập lại mật khẩu" in client.post(SET_UP, sent).text
    assert not User.objects.get(pk=member.pk).asks_for_code


def test_a_secret_that_was_seen_before_is_not_the_one_that_is_set_up(
    client: Client, member: User, clock: Any
) -> None:
    client.force_login(member)
    seen = secret_on(shown(client))
    clock(minutes=9)
    assert secret_on(shown(client)) == seen, "while it is set up"
    clock(minutes=2)
    page = shown(client)
    assert secret_on(page) != seen
    client.post(SET_UP, turning_on(page, member, clock))
    assert User.objects.get(pk=member.pk).asks_for_code
    kept = SecondFactor.objects.get(user=member).secret.reveal()
    assert kept == secret_on(page)


def test_nobody_guesses_the_password_to_set_a_new_one(
    client: Client, member: User, clock: Any
) -> None:
    client.force_login(member)
    page = reverse("admin:password_change")
    fresh = {"new_password1": "mật khẩu mới 1", "new_password2": "mật khẩu mới 1"}
    assert 'name="old_password"' in client.get(page).text
    for _ in range(sign_ins.OF_ONE_LOGIN):
        answer = client.post(page, {"old_password": "wrong", **fresh})
        assert "Mật khẩu không đúng" in answer.text
    answer = client.post(page, {"old_password": PASSWORD, **fresh})
    assert "Bạn đã thử quá nhiều lần" in answer.text
    member.refresh_from_db()
    assert member.check_password(PASSWORD)
    clock(minutes=16)
    answer = client.post(page, {"old_password": PASSWORD, **fresh})
    assert answer["Location"] == reverse("admin:password_change_done")
    member.refresh_from_db()
    assert member.check_password("mật khẩu mới 1")
    assert client.get(answer["Location"]).status_code == 200


def test_the_second_of_two_clicks_leads_to_the_page_as_it_is_now(
    client: Client, member: User, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(member)
    page = shown(client)
    once = second_factors.turn_on

    def after_the_first(**said: Any) -> Any:
        once(**said)
        return once(**said)

    monkeypatch.setattr(second_factors, "turn_on", after_the_first)
    answer = client.post(SET_UP, turning_on(page, member, clock))
    assert (answer.status_code, answer["Location"]) == (302, SET_UP)


def test_who_waits_for_a_code_that_is_reset_meanwhile_is_let_in(
    client: Client, member: User, clock: Any
) -> None:
    set_up(Client(), member, clock)
    sign_in(client)
    assert client.get("/admin/")["Location"].startswith("/login/code/")
    second_factors.reset(user_id=member.pk, actor="boss", reason="mất điện thoại")
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/").status_code == 200, "its row has followed to the new key"
    event = SecurityEvent.objects.filter(kind="SIGNED_IN", user=member).latest("id")
    assert event.details == {"codes_reset": True}


def test_who_is_deactivated_while_a_code_is_to_come_has_to_sign_in(
    client: Client, member: User, clock: Any
) -> None:
    set_up(Client(), member, clock)
    sign_in(client)
    User.objects.filter(pk=member.pk).update(is_active=False)
    answer = client.post("/login/code/", {"code": code(member, clock)})
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert client.get("/login/code/")["Location"] == "/login/"
    User.objects.filter(pk=member.pk).update(is_active=True)
    assert client.get("/admin/")["Location"].startswith("/admin/login/"), "the password again"


def test_a_code_leads_to_the_very_page_that_was_asked_for(
    client: Client, member: User, clock: Any
) -> None:
    set_up(Client(), member, clock)
    sign_in(client)
    page = "/admin/kitehub/user/?tab=staff&q=Lan+Anh"
    led = client.get(page)["Location"]
    signed_in = reverse("admin:kitehub_user_signed_in")
    assert client.get(signed_in).status_code == 302, "scripts are told that something is missing"
    asked = client.get(led).context["next"]
    assert asked == page
    # What is no page is not where to go on: a form that was sent, a dialog.
    dialog = f"/admin/kitehub/user/{member.pk}/end-sessions/"
    assert client.post(dialog)["Location"] == "/login/code/?next=/admin/"
    htmx = {"HX-Request": "true"}
    assert client.get(dialog, headers=htmx)["Location"] == "/login/code/?next=/admin/"
    assert client.post("/")["Location"] == "/login/code/?next=/"
    given = {"code": code(member, clock), "next": asked}
    assert client.post(led, given)["Location"] == page
    assert client.get(signed_in).status_code == 204


def test_codes_cannot_be_tried_out_from_however_many_places(member: User) -> None:
    secret = second_factors.prepare(user_id=member.pk, at=AT)
    step = totp.step_of(AT)
    second_factors.turn_on(user_id=member.pk, code=totp.code_at(secret, step), at=AT)
    for _ in range(sign_ins.OF_ONE_LOGIN):
        with pytest.raises(second_factors.WrongCode):
            second_factors.check(user_id=member.pk, code="000000", at=AT)
    good = totp.code_at(secret, step + 1)
    for _ in range(2):
        with pytest.raises(sign_ins.TooManyAttempts):
            second_factors.check(user_id=member.pk, code=good, at=AT)
    assert SecurityEvent.objects.filter(kind="THROTTLED", user=member).count() == 1
    later = AT + sign_ins.WINDOW
    good = totp.code_at(secret, totp.step_of(later))
    second_factors.check(user_id=member.pk, code=good, at=later)


def test_secrets_are_kept_encrypted_and_backup_codes_as_digests(member: User) -> None:
    secret = second_factors.prepare(user_id=member.pk, at=AT)
    assert second_factors.pending(user_id=member.pk) == secret
    code = totp.code_at(secret, totp.step_of(AT))
    backup = second_factors.turn_on(user_id=member.pk, code=code, at=AT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, backup_codes::text FROM second_factors")
        kept = " ".join(cursor.fetchone())
    assert secret not in kept
    assert not any(each in kept or each.replace("-", "") in kept for each in backup)
    with pytest.raises(ValueError, match="already"):
        second_factors.prepare(user_id=member.pk, at=AT)


def test_a_superuser_resets_a_lost_app_and_says_why(
    client: Client, member: User, back_office: Client, staff: User, clock: Any
) -> None:
    set_up(Client(), member, clock)
    page = reverse("admin:kitehub_user_reset_codes", args=[member.pk])
    back_office.post(page, {**SENT, "reason": ""})
    assert User.objects.get(pk=member.pk).asks_for_code
    back_office.post(page, {**SENT, "reason": "mất điện thoại"})
    assert not User.objects.get(pk=member.pk).asks_for_code
    event = SecurityEvent.objects.get(kind="FACTOR_RESET")
    assert (event.login, event.actor, event.reason) == (
        member.email,
        staff.email,
        "mất điện thoại",
    )
    own = reverse("admin:kitehub_user_reset_codes", args=[staff.pk])
    assert back_office.post(own, {**SENT, "reason": "x"}).status_code == 403


def test_nobody_resets_their_own_however_the_address_is_spelt(
    back_office: Client, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    secret = second_factors.prepare(user_id=staff.pk, at=now)
    right = totp.code_at(secret, totp.step_of(now))
    second_factors.turn_on(user_id=staff.pk, code=right, at=now)
    own = str(staff.pk)
    for key in (own.replace("-", "", 1), f"{own[:2]}-{own[2:]}"):
        page = reverse("admin:kitehub_user_reset_codes", args=[key])
        answer = back_office.post(page, {**SENT, "reason": "x"}, follow=True)
        assert "Không có bản ghi này" in answer.text
    for key in (own, own.upper(), own.replace("-", "")):
        page = reverse("admin:kitehub_user_reset_codes", args=[key])
        assert back_office.post(page, {**SENT, "reason": "x"}).status_code == 403
    # Whatever the permission makes of an address, the row is compared once more.
    monkeypatch.setattr(UserAdmin, "has_reset_codes_permission", lambda *said: True)
    page = reverse("admin:kitehub_user_reset_codes", args=[own])
    answer = back_office.post(page, {**SENT, "reason": "x"}, follow=True)
    assert "Không ai tự đặt lại mã của mình" in answer.text
    assert User.objects.get(pk=staff.pk).asks_for_code


def test_codes_may_be_demanded_of_all_staff(
    client: Client, member: User, clock: Any, settings: Any
) -> None:
    settings.KITEHUB_STAFF_TOTP = True
    sign_in(client)
    for page in ("/admin/", "/admin/kitehub/user/", "/admin/password_change/"):
        assert client.get(page)["Location"].startswith(SET_UP)
    page = "/admin/kitehub/user/?tab=staff"
    led = client.get(page)["Location"]
    assert client.get(led).status_code == 200
    scanned = client.post(led, {"deed": "show", "show-password": PASSWORD}).text
    kept = client.post(led, turning_on(scanned, member, clock)).context["page"]
    assert kept == page, "where they wanted to go, once they have kept their backup codes"
    assert client.get("/admin/").status_code == 200
    elsewhere = client.get(f"{SET_UP}?next=https://example.com/")
    assert elsewhere.context["page"] == SET_UP
    customer = Client()
    customer.force_login(UserFactory())
    assert customer.get("/").status_code == 200, "not of those who are no staff"
