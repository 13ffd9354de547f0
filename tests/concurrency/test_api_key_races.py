"""API keys that many want to rotate, use or issue at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from kitehub.models import ApiKey, Instance
from kitehub.services import api_keys
from kitehub.services.api_keys import AlreadyRotated, IssuedKey, TwoLiveKeys
from tests.concurrency.threads import Background, changed, together
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.records import execute, without_trigger

pytestmark = pytest.mark.django_db(transaction=True)

AN = "an@kitehub.test"
MANY = 6
UNIQUE = "api_keys_replaces_key"


@contextmanager
def unguarded() -> Iterator[None]:
    """The unique key and the count of live keys taken away."""
    execute(f"ALTER TABLE api_keys DROP CONSTRAINT {UNIQUE}")
    try:
        with without_trigger("api_keys", "keep_new_api_keys"):
            yield
    finally:
        execute("TRUNCATE api_keys")
        execute(f"ALTER TABLE api_keys ADD CONSTRAINT {UNIQUE} UNIQUE (replaces_id)")


@pytest.fixture
def school() -> Instance:
    return InstanceFactory()


@pytest.fixture
def issued(school: Instance) -> IssuedKey:
    return api_keys.issue(instance=school, name="A", scopes=["orders:read"], actor=AN)


def rotate_at_once(issued: IssuedKey) -> list[object]:
    def rotate() -> IssuedKey:
        return api_keys.rotate(key=ApiKey.objects.get(pk=issued.key.pk), actor=AN)

    return together(*[rotate] * MANY)


def test_of_rotations_at_once_one_gives_a_key(issued: IssuedKey) -> None:
    results = rotate_at_once(issued)
    won = [each for each in results if isinstance(each, IssuedKey)]
    assert len(won) == 1, results
    assert [type(each) for each in results if each not in won] == [AlreadyRotated] * (MANY - 1)
    assert set(ApiKey.objects.values_list("pk", flat=True)) == {issued.key.pk, won[0].key.pk}
    assert api_keys.authenticate(won[0].secret_text)


def test_control_without_the_guards_each_rotation_gives_a_key(
    issued: IssuedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = api_keys._insert

    def with_line(new: ApiKey) -> IssuedKey:
        new.created_by, new.line_id = AN, issued.key.line_id  # as the trigger would
        return insert(new)

    monkeypatch.setattr(api_keys, "_insert", with_line)
    with unguarded():
        results = rotate_at_once(issued)
        assert all(isinstance(each, IssuedKey) for each in results), results
        assert ApiKey.objects.live(at=timezone.now()).count() == 1 + MANY


def add_to_line_meanwhile(issued: IssuedKey) -> tuple[object, int]:
    """SQL that adds to two keys of one line, the second while the first isn't committed.

    No unique key keeps these apart. Returns what became of the second, and how many are live.
    """
    second = api_keys.rotate(key=issued.key, actor=AN, overlap=timedelta(0))

    def add(prefix: str, replaced: ApiKey) -> None:
        execute(
            "INSERT INTO api_keys (id, instance_id, name, prefix, secret_hash, scopes, created_by,"
            " created_at, replaces_id) SELECT gen_random_uuid(), instance_id, name, %s,"
            " secret_hash, scopes, 'a', clock_timestamp(), id FROM api_keys WHERE id = %s",
            prefix,
            replaced.pk,
        )

    execute(f"ALTER TABLE api_keys DROP CONSTRAINT {UNIQUE}")
    try:
        with transaction.atomic():
            add("aaaaaaaaaa", second.key)
            late = Background(lambda: add("bbbbbbbbbb", issued.key))
            late.wait_until_blocked_or_done()
        return late.join(), ApiKey.objects.live(at=timezone.now()).count()
    finally:
        execute("TRUNCATE api_keys")
        execute(f"ALTER TABLE api_keys ADD CONSTRAINT {UNIQUE} UNIQUE (replaces_id)")


def test_line_has_two_live_keys_whoever_adds_to_it_at_once(issued: IssuedKey) -> None:
    result, live = add_to_line_meanwhile(issued)
    assert "2 live keys" in str(result)
    assert live == 2


def test_control_without_the_lines_lock_it_has_three(issued: IssuedKey) -> None:
    lock = "PERFORM FROM api_keys WHERE id = NEW.line_id FOR NO KEY UPDATE;"
    with changed("keep_new_api_key()", (lock, "")):
        result, live = add_to_line_meanwhile(issued)
    assert result is None
    assert live == 3


def test_line_of_two_is_told_so_under_a_rotation_meanwhile(issued: IssuedKey) -> None:
    with transaction.atomic():
        second = api_keys.rotate(key=issued.key, actor=AN)
        # Waits for the line, and finds it full.
        late = Background(lambda: api_keys.rotate(key=issued.key, actor=AN))
        late.wait_until_blocked_or_done()
        assert not late.over
    assert isinstance(late.join(), AlreadyRotated)
    with pytest.raises(TwoLiveKeys):
        api_keys.rotate(key=second.key, actor=AN)


def test_rotation_of_a_key_that_is_revoked_meanwhile_gives_none(issued: IssuedKey) -> None:
    with transaction.atomic():
        api_keys.revoke(key=issued.key, actor=AN)
        late = Background(lambda: api_keys.rotate(key=issued.key, actor=AN))
        late.wait_until_blocked_or_done()
        assert not late.over
    assert isinstance(late.join(), api_keys.RevokedKey)
    assert ApiKey.objects.count() == 1


def test_first_key_is_issued_once_by_many(school: Instance) -> None:
    def first() -> IssuedKey | None:
        return api_keys.issue_first(instance=school, actor=AN)

    results = together(*[first] * MANY)
    assert sorted(type(each).__name__ for each in results) == ["IssuedKey"] + ["NoneType"] * 5
    assert ApiKey.objects.count() == 1


def test_request_never_waits_for_a_locked_key(issued: IssuedKey) -> None:
    with transaction.atomic():
        execute("SELECT FROM api_keys FOR UPDATE")
        asking = Background(lambda: api_keys.authenticate(issued.secret_text))
        asking.wait_until_blocked_or_done()
        assert asking.over
        assert asking.join() == issued.key
    assert ApiKey.objects.get().last_used_at is None


def test_control_a_plain_update_of_the_last_use_waits(issued: IssuedKey) -> None:
    def use() -> None:
        ApiKey.objects.filter(pk=issued.key.pk).update(last_used_at=timezone.now())

    with transaction.atomic():
        execute("SELECT FROM api_keys FOR UPDATE")
        asking = Background(use)
        asking.wait_until_blocked_or_done()
        assert not asking.over
    asking.join()
