"""The life of a key: issued, rotated, revoked."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from kitehub.db.acting import acting
from kitehub.enums import ApiKeyState, ApiScope
from kitehub.models import ApiKey, Instance
from kitehub.services.api_keys import (
    AlreadyRotated,
    ExpiredKey,
    InstanceDeleted,
    IssuedKey,
    RevokedKey,
    TwoLiveKeys,
    authenticate,
    issue,
    issue_first,
    revoke,
    rotate,
)
from tests.factories.kitehub import ApiKeyFactory
from tests.kitehub.db.records import execute

pytestmark = pytest.mark.django_db
AN = "an@kitehub.test"
BINH = "binh@kitehub.test"
DAY = timedelta(days=1)


def reread(issued: IssuedKey) -> ApiKey:
    return ApiKey.objects.get(pk=issued.key.pk)


# --- Issuing ------------------------------------------------------------------------------------


def test_who_issued_a_key_is_kept(issued: IssuedKey) -> None:
    key = reread(issued)
    assert (key.created_by, issued.key.created_by) == (AN, AN)
    assert key.line_id == issued.key.line_id == key.pk
    assert key.state(at=timezone.now()) == ApiKeyState.LIVE


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "x" * 101}),
        ("name", {"name": "a\nb"}),
        ("name", {"name": "a\x00"}),
        ("scopes", {"scopes": []}),
        ("scopes", {"scopes": ["everything"]}),
        ("expires_at", {"expires_at": timezone.now()}),
    ],
)
def test_impossible_key_is_not_issued(school: Instance, field: str, said: dict) -> None:
    given = {"name": "Website", "scopes": ["orders:read"], **said}
    with pytest.raises(ValidationError) as refused:
        issue(instance=school, actor=AN, **given)
    assert list(refused.value.message_dict) == [field]
    assert not ApiKey.objects.exists()


def test_instance_that_is_gone_gets_no_key(school: Instance) -> None:
    school.delete()
    with pytest.raises(InstanceDeleted):
        issue(instance=school, name="Website", scopes=["orders:read"], actor=AN)


def test_first_key_is_issued_once_and_for_everything(school: Instance) -> None:
    first = issue_first(instance=school, actor=AN)
    assert first is not None
    for scope in ApiScope:
        assert authenticate(first.secret_text, scope=scope)
    assert issue_first(instance=school, actor=AN) is None
    revoke(key=first.key, actor=AN)
    assert issue_first(instance=school, actor=AN) is None


def test_instance_that_has_a_key_needs_no_first_one(issued: IssuedKey, school: Instance) -> None:
    assert issue_first(instance=school, actor=AN) is None


# --- Rotating -----------------------------------------------------------------------------------


def test_both_keys_are_taken_until_the_overlap_is_over(issued: IssuedKey) -> None:
    at = timezone.now()
    new = rotate(key=issued.key, actor=BINH, overlap=DAY, at=at)
    for moment, taken in [(at, True), (at + DAY - timedelta(seconds=1), True), (at + DAY, False)]:
        assert authenticate(new.secret_text, at=moment) == new.key
        if taken:
            assert authenticate(issued.secret_text, at=moment) == issued.key
        else:
            with pytest.raises(ExpiredKey):
                authenticate(issued.secret_text, at=moment)
    assert (new.key.replaces, new.key.line_id) == (issued.key, issued.key.pk)
    assert (new.key.name, new.key.scopes) == (issued.key.name, issued.key.scopes)
    assert (new.key.created_by, new.key.expires_at) == (BINH, None)


def test_rotation_extends_no_key(school: Instance) -> None:
    at = timezone.now()
    end = at + timedelta(hours=2)
    said = {"instance": school, "name": "A", "scopes": ["orders:read"], "actor": AN}
    for expires_at, expected in [(None, end), (at + DAY, at + DAY)]:
        old = issue(**said, expires_at=end, at=at)
        new = rotate(key=old.key, actor=AN, overlap=DAY, expires_at=expires_at, at=at)
        assert (old.key.expires_at, new.key.expires_at) == (end, expected)


def test_third_live_key_of_a_line_is_refused_until_the_first_is_over(issued: IssuedKey) -> None:
    at = timezone.now()
    second = rotate(key=issued.key, actor=AN, overlap=DAY, at=at)
    with pytest.raises(TwoLiveKeys):
        rotate(key=second.key, actor=AN, overlap=DAY, at=at)
    assert reread(second).expires_at is None  # nothing of it was done
    third = rotate(key=second.key, actor=AN, overlap=DAY, at=at + DAY)
    assert third.key.line_id == issued.key.line_id
    assert ApiKey.objects.live(at=at + DAY).count() == 2


@pytest.mark.parametrize("way", ["no overlap", "revoked"])
def test_lost_key_can_be_rotated_during_the_overlap(issued: IssuedKey, way: str) -> None:
    lost = rotate(key=issued.key, actor=AN)
    if way == "revoked":
        revoke(key=issued.key, actor=AN)
    new = rotate(key=lost.key, actor=AN, overlap=timedelta(0) if way == "no overlap" else DAY)
    assert authenticate(new.secret_text)


def test_key_is_rotated_once_and_only_while_it_is_live(issued: IssuedKey) -> None:
    rotate(key=issued.key, actor=AN)
    for overlap in (DAY, timedelta(0)):
        with pytest.raises(AlreadyRotated):
            rotate(key=issued.key, actor=AN, overlap=overlap)
    revoked = ApiKeyFactory()
    revoke(key=revoked, actor=AN)
    with pytest.raises(RevokedKey):
        rotate(key=revoked, actor=AN)
    ended = ApiKeyFactory(expires_at=timezone.now() + DAY)
    with pytest.raises(ExpiredKey):
        rotate(key=ended, actor=AN, at=timezone.now() + DAY)
    assert ApiKey.objects.count() == 4


@pytest.mark.parametrize("days", [-1, 91, 10**6])
def test_impossible_overlap_is_refused(issued: IssuedKey, days: int) -> None:
    with pytest.raises(ValidationError, match="90"):
        rotate(key=issued.key, actor=AN, overlap=timedelta(days=days))


# --- Revoking -----------------------------------------------------------------------------------


def test_first_revocation_stays(issued: IssuedKey) -> None:
    assert revoke(key=issued.key, actor=AN, reason="Leaked")
    assert not revoke(key=issued.key, actor=BINH, reason="Again")
    assert (issued.key.revoked_by, issued.key.revoked_reason) == (AN, "Leaked")
    with pytest.raises(ValidationError):
        revoke(key=issued.key, actor=AN, reason="x" * 501)


def test_sql_that_revokes_leaves_its_name(issued: IssuedKey) -> None:
    with transaction.atomic(), acting(BINH, "Leaked"):
        execute("UPDATE api_keys SET revoked_at = now()")
    assert (reread(issued).revoked_by, reread(issued).revoked_reason) == (BINH, "Leaked")
