"""Who came in, who failed to, and what became of sessions and passwords is in the log for good."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from kitehub.models import SecurityEvent, SignedInSession, StaffRole, User
from kitehub.services import security, sessions, sign_ins
from tests.factories.kitehub import UserFactory
from tests.kitehub.backoffice.pages import list_url, messages_of, page_url

pytestmark = pytest.mark.django_db

PASSWORD = "a long password"
# As unfold's dialogs send it.
SENT = {"_form_submitted": "True"}
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0"


@pytest.fixture
def member() -> User:
    return UserFactory(staff=True, email="lan@kitehub.test", password=PASSWORD)


def sign_in(client: Client, password: str = PASSWORD, **more: Any) -> Any:
    said = {"username": "LAN@kitehub.test", "password": password, "next": "/admin/"}
    return client.post("/admin/login/", said, headers={"User-Agent": FIREFOX}, **more)


def told(**about: Any) -> list[tuple[str, ...]]:
    """What the log says since the accounts were made."""
    rows = SecurityEvent.objects.filter(**about).order_by("id")
    noise = ("POWERS_CHANGED", "GROUP_CHANGED")
    return [
        (row.kind, row.login, row.actor, row.address, row.browser)
        for row in rows
        if row.kind not in noise and row.details.get("way") != "command"
    ]


def test_signing_in_failing_and_out(client: Client, member: User) -> None:
    sign_in(client, "wrong")
    sign_in(client)
    client.post("/admin/logout/", headers={"User-Agent": FIREFOX})
    client.post("/login/", {"username": "my secret password", "password": "x"})
    lan, where = member.email, ("127.0.0.1", "Firefox 143 · Windows")
    assert told() == [
        ("SIGN_IN_FAILED", lan, "", *where),
        ("SIGNED_IN", lan, lan, *where),
        ("SIGNED_OUT", lan, lan, *where),
    ]
    assert not SignedInSession.objects.exists()


def test_the_page_says_when_to_try_again_and_the_log_says_it_once(
    client: Client, member: User
) -> None:
    for _ in range(sign_ins.OF_ONE_LOGIN + 3):
        answer = sign_in(client, "wrong")
    page = answer.content.decode()
    assert "Bạn đã thử quá nhiều lần. Hãy thử lại sau 15 phút" in page
    kinds = [kind for kind, *_ in told()]
    assert kinds == ["SIGN_IN_FAILED"] * sign_ins.OF_ONE_LOGIN + ["THROTTLED"]
    assert sign_in(Client(), REMOTE_ADDR="10.0.0.9").status_code == 302, "others are not kept out"


def test_a_new_password_ends_the_other_sessions(client: Client, member: User) -> None:
    other, third = Client(), Client()
    for browser in (client, other, third):
        sign_in(browser)
    assert SignedInSession.objects.filter(user=member).count() == 3
    fresh = {"new_password1": "mật khẩu mới 1", "new_password2": "mật khẩu mới 1"}
    client.post("/admin/password_change/", {"old_password": PASSWORD, **fresh})
    assert client.get("/admin/").status_code == 200
    assert other.get("/admin/").status_code == third.get("/admin/").status_code == 302
    (left,) = sessions.open_sessions(member, at=timezone.now())
    assert left.key_digest == sessions.digest_of(client.session.session_key), (
        "followed to its new key"
    )
    event = SecurityEvent.objects.get(kind="PASSWORD_CHANGED", details__way="self")
    assert (event.login, event.actor) == (member.email, member.email)


def test_a_superuser_sets_a_password_and_changes_powers(
    back_office: Client, staff: User, member: User
) -> None:
    browser = Client()
    sign_in(browser)
    page = reverse("admin:auth_user_password_change", args=[member.pk])
    fresh = {"password1": "mật khẩu mới 1", "password2": "mật khẩu mới 1"}
    answer = back_office.post(page, {**SENT, "usable_password": "true", **fresh})
    assert answer.status_code == 302
    assert browser.get("/admin/").status_code == 302
    event = SecurityEvent.objects.get(kind="PASSWORD_CHANGED", details__way="staff")
    assert (event.user_id, event.actor, event.address) == (member.pk, staff.email, "127.0.0.1")
    group = StaffRole.objects.get(pk="FINANCE").group
    back_office.post(
        page_url(member),
        {
            "email": "an@kitehub.test",
            "full_name": "An",
            "is_active": "on",
            "is_staff": "on",
            "groups": [group.pk],
            "reason": "sang phòng kế toán",
        },
        headers={"User-Agent": FIREFOX},
    )
    changed = SecurityEvent.objects.filter(user=member, actor=staff.email).order_by("id")
    found = [(row.kind, row.reason, row.browser, row.details) for row in changed][1:]
    why, where = "sang phòng kế toán", "Firefox 143 · Windows"
    assert found == [
        ("EMAIL_CHANGED", why, where, {"before": "lan@kitehub.test", "after": "an@kitehub.test"}),
        ("POWERS_CHANGED", why, where, {"groups_added": ["Kế toán"]}),
    ]


def test_a_superuser_takes_a_password(back_office: Client, staff: User, member: User) -> None:
    browser = Client()
    sign_in(browser)
    page = reverse("admin:auth_user_password_change", args=[member.pk])
    taken = {"usable_password": "false", "unset-password": "1", "password1": "", "password2": ""}
    assert back_office.post(page, {**SENT, **taken}).status_code == 302
    member.refresh_from_db()
    assert not member.has_usable_password()
    event = SecurityEvent.objects.get(kind="PASSWORD_CHANGED", details__way="staff")
    assert (event.user_id, event.actor) == (member.pk, staff.email)
    assert event.details == {"way": "staff", "usable": False}
    assert not SignedInSession.objects.filter(user=member).exists()
    assert browser.get("/admin/").status_code == 302


def set_active(client: Client, user: User, active: bool, reason: str = "x") -> Any:
    said = {"email": user.email, "full_name": "An", "is_staff": "on", "reason": reason}
    powers = {"is_superuser": "on"} if user.is_superuser else {}
    active_said = {"is_active": "on"} if active else {}
    return client.post(page_url(user), {**said, **powers, **active_said})


def test_who_is_not_active_any_more_is_signed_out_for_good(
    back_office: Client, staff: User, member: User
) -> None:
    first, second = Client(), Client()
    for browser in (first, second):
        sign_in(browser)
    assert set_active(back_office, member, True).status_code == 302
    assert first.get("/admin/").status_code == 200, "they were active before"
    assert set_active(back_office, member, False, "mất máy tính").status_code == 302
    assert not SignedInSession.objects.filter(user=member).exists()
    event = SecurityEvent.objects.get(kind="SESSION_ENDED")
    assert (event.user_id, event.actor, event.reason, event.details) == (
        member.pk,
        staff.email,
        "mất máy tính",
        {"sessions": 2},
    )
    set_active(back_office, member, True)
    member.refresh_from_db()
    assert member.is_active
    for browser in (first, second):
        assert browser.get("/admin/").status_code == 302
    assert set_active(back_office, staff, False).status_code == 302, "one's own"
    assert back_office.get("/admin/").status_code == 302


def test_sessions_are_ended_one_or_all(back_office: Client, staff: User, member: User) -> None:
    first, second, third = Client(), Client(), Client()
    for browser in (first, second, third):
        sign_in(browser)
    page = reverse("admin:kitehub_user_end_sessions", args=[member.pk])
    shown = back_office.get(page_url(member)).content.decode()
    assert "Firefox 143 · Windows" in shown
    one = SignedInSession.objects.get(key_digest=sessions.digest_of(first.session.session_key))
    back_office.post(page, {**SENT, "which": str(one.pk), "reason": "máy lạ"})
    assert first.get("/admin/").status_code == 302
    assert second.get("/admin/").status_code == 200
    assert second.post(page, {**SENT, "which": "", "reason": "máy cũ"}).status_code == 302, (
        "one's own"
    )
    assert second.get("/admin/").status_code == third.get("/admin/").status_code == 302
    assert [row[2] for row in told(kind="SESSION_ENDED")] == [staff.email, member.email]
    other = reverse("admin:kitehub_user_end_sessions", args=[staff.pk])
    sign_in(first)
    assert first.post(other, {**SENT, "which": "", "reason": "x"}).status_code == 403


def test_who_ends_all_their_own_sessions_is_signed_out_and_told(
    client: Client, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client)
    # The reason took so long to write that being seen is due: a session that changes is saved.
    later = timezone.now() + sessions.SEEN_EVERY
    monkeypatch.setattr("kitehub.sign_in.timezone.now", lambda: later)
    page = reverse("admin:kitehub_user_end_sessions", args=[member.pk])
    answer = client.post(page, {**SENT, "which": "", "reason": "mất máy"}, follow=True)
    assert [code for _address, code in answer.redirect_chain] == [302, 302]
    assert answer.redirect_chain[-1][0].startswith("/admin/login/")
    assert messages_of(answer) == ["Đã kết thúc 1 phiên đăng nhập."]
    assert not SignedInSession.objects.exists()
    assert client.get("/admin/").status_code == 302


def test_what_is_over_is_no_open_session(back_office: Client, member: User) -> None:
    over, gone, live = Client(), Client(), Client()
    for browser in (over, gone, live):
        sign_in(browser)
    past = timezone.now() - timedelta(minutes=1)
    rows = Session.objects.filter(session_key=over.session.session_key)
    assert rows.update(expire_date=past) == 1
    Session.objects.get(session_key=gone.session.session_key).delete()
    page = back_office.get(list_url(SignedInSession), {"q": member.email})
    assert [row.key_digest for row in page.context["cl"].result_list] == [
        sessions.digest_of(live.session.session_key)
    ]
    assert sessions.end(user_id=member.pk, actor="", reason="máy lạ") == 1
    assert not SignedInSession.objects.filter(user=member).exists(), "those that are over, too"
    sign_in(over)
    Session.objects.filter(session_key=over.session.session_key).update(expire_date=past)
    assert sessions.end(user_id=member.pk, actor="", reason="x") == 0
    assert len(told(kind="SESSION_ENDED")) == 1


def test_being_seen_is_written_now_and_then(
    client: Client, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client)
    row = SignedInSession.objects.get(user=member)
    client.get("/admin/")
    assert SignedInSession.objects.get(pk=row.pk).last_seen == row.last_seen
    later = timezone.now() + sessions.SEEN_EVERY
    monkeypatch.setattr("kitehub.sign_in.timezone.now", lambda: later)
    client.get("/admin/", REMOTE_ADDR="10.0.0.9")
    seen = SignedInSession.objects.get(pk=row.pk)
    assert (seen.last_seen, seen.address) == (later, "10.0.0.9")


def test_no_key_is_kept_and_ending_finds_it_all_the_same(client: Client, member: User) -> None:
    sign_in(client)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(each)::text FROM signed_in_sessions AS each")
        (kept,) = cursor.fetchone()
    assert client.session.session_key not in kept
    assert sessions.forget_over(at=timezone.now()) == 0
    assert sessions.end(user_id=member.pk, actor="", reason="máy lạ") == 1
    assert client.get("/admin/").status_code == 302


def test_signing_in_over_another_session_ends_that_one(client: Client, member: User) -> None:
    client.force_login(UserFactory())
    assert sign_in(client).status_code == 302
    assert [row.user_id for row in SignedInSession.objects.all()] == [member.pk]
    assert sign_in(client).status_code == 302, "the same person once more"
    assert client.get("/admin/").status_code == 200
    (row,) = SignedInSession.objects.all()
    assert row.key_digest == sessions.digest_of(client.session.session_key)


def test_a_mailed_link_to_a_new_password_while_signed_in(client: Client, member: User) -> None:
    sign_in(client)
    member.refresh_from_db()
    key = urlsafe_base64_encode(force_bytes(member.pk))
    link = f"/password/{key}/{default_token_generator.make_token(member)}/"
    fresh = {"new_password1": "mật khẩu mới 1", "new_password2": "mật khẩu mới 1"}
    assert client.post(client.get(link)["Location"], fresh).status_code == 302
    assert client.get("/admin/").status_code == 200
    (row,) = SignedInSession.objects.all()
    assert row.key_digest == sessions.digest_of(client.session.session_key)


def test_a_session_that_nobody_could_end_is_no_session(
    client: Client, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Client()
    old.force_login(member)
    before_v18 = old.session
    del before_v18["_seen_at"]
    before_v18.save()
    assert old.get("/admin/").status_code == 302
    sign_in(client)
    SignedInSession.objects.all().delete()
    later = timezone.now() + sessions.SEEN_EVERY
    monkeypatch.setattr("kitehub.sign_in.timezone.now", lambda: later)
    assert client.get("/admin/").status_code == 302
    assert not SignedInSession.objects.exists()


def test_the_log_is_kept_two_years_whoever_asks() -> None:
    event = SecurityEvent.objects.create(kind="SIGNED_IN", login="lan@kitehub.test")
    for sql in (
        "UPDATE security_events SET login = ''",
        "DELETE FROM security_events",
        "TRUNCATE security_events",
    ):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
    old = timezone.now() - security.KEPT - timedelta(hours=1)
    SecurityEvent.objects.create(kind="SIGNED_IN", at=old)
    call_command("forget_security_events")
    assert SecurityEvent.objects.filter(pk=event.pk).exists()
    assert not SecurityEvent.objects.filter(at=old).exists()


def test_powers_that_sql_rewrites_are_in_the_log(member: User) -> None:
    support, finance = (StaffRole.objects.get(pk=role).group for role in ("SUPPORT", "FINANCE"))
    other = UserFactory(staff=True)
    for person in (member, other):
        person.groups.add(support)
    seen, kept = (Permission.objects.get(codename=f"view_{name}") for name in ("refund", "email"))
    member.user_permissions.add(seen)
    before = SecurityEvent.objects.latest("id").pk
    rewritten = [
        ("UPDATE kitehub_users_groups SET group_id = group_id", []),
        (
            "UPDATE kitehub_users_groups SET group_id = %s WHERE user_id = %s",
            [finance.pk, member.pk],
        ),
        (
            "UPDATE kitehub_users_groups SET user_id = %s WHERE group_id = %s",
            [other.pk, finance.pk],
        ),
        ("UPDATE kitehub_users_user_permissions SET permission_id = %s", [kept.pk]),
        (
            "UPDATE auth_group_permissions SET permission_id = %s"
            " WHERE group_id = %s AND permission_id = %s",
            [Permission.objects.get(codename="view_job").pk, support.pk, kept.pk],
        ),
    ]
    with connection.cursor() as cursor:
        for sql, values in rewritten:
            cursor.execute(sql, values)
            assert cursor.rowcount
    events = SecurityEvent.objects.filter(pk__gt=before).order_by("id")
    found = {(row.kind, row.login, json.dumps(row.details, ensure_ascii=False)) for row in events}
    change, lan = "POWERS_CHANGED", member.email
    assert found == {
        (change, lan, '{"groups_added": ["Kế toán"], "groups_removed": ["Hỗ trợ"]}'),
        (change, lan, '{"groups_removed": ["Kế toán"]}'),
        (change, other.email, '{"groups_added": ["Kế toán"]}'),
        (
            change,
            lan,
            '{"permissions_added": ["kitehub.view_email"],'
            ' "permissions_removed": ["billing.view_refund"]}',
        ),
        (
            "GROUP_CHANGED",
            "",
            '{"group": "Hỗ trợ", "permissions_added": ["jobs.view_job"],'
            ' "permissions_removed": ["kitehub.view_email"]}',
        ),
    }
    assert {row.actor.partition(":")[0] for row in events} == {"db"}


@pytest.mark.parametrize(
    ("said", "short"),
    [
        (FIREFOX, "Firefox 143 · Windows"),
        (
            "Mozilla/5.0 (Linux; Android 15) Chrome/141.0.0.0 Mobile Safari/537.36",
            "Chrome 141 · Android",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0 Safari/537.36 Edg/141.0",
            "Edge 141 · Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1"
            " Mobile/15E148 Safari/604.1",
            "Safari 18 · iPhone",
        ),
        ("curl/8.0\x00", "curl/8.0"),
        ("", ""),
    ],
)
def test_browsers_in_a_few_words(said: str, short: str) -> None:
    assert security.browser_of(said) == short
