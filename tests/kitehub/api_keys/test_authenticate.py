"""Who a key is taken for, and why one isn't."""

import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kitehub.enums import ApiScope, InstanceStatus
from kitehub.key_format import KeyText
from kitehub.models import ApiKey, Instance
from kitehub.services import api_keys
from kitehub.services.api_keys import (
    ExpiredKey,
    InstanceDeleted,
    InstanceSuspended,
    IssuedKey,
    KeyRefused,
    MalformedKey,
    MissingScope,
    NotAllowed,
    NotAuthenticated,
    RevokedKey,
    UnknownKey,
    authenticate,
)
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ACTOR = "an@kitehub.test"
HOUR = timedelta(hours=1)


@pytest.fixture
def school() -> Instance:
    return InstanceFactory()


def issue(school: Instance, **said: object) -> IssuedKey:
    given = {"name": "Website", "scopes": [ApiScope.ENTITLEMENTS_READ], "actor": ACTOR, **said}
    return api_keys.issue(instance=school, **given)


def refusal(text: str, **said: object) -> type[KeyRefused]:
    with pytest.raises(KeyRefused) as raised:
        authenticate(text, **said)
    return raised.type


def test_key_is_its_instances_in_one_query(school: Instance) -> None:
    issued = issue(school)
    authenticate(issued.secret_text, at=NOW)
    with CaptureQueriesContext(connection) as queries:
        key = authenticate(issued.secret_text, scope=ApiScope.ENTITLEMENTS_READ, at=NOW)
        assert (key, key.instance) == (issued.key, school)
        assert key.instance.subdomain == school.subdomain
    assert len(queries) == 1


def test_neither_table_nor_query_nor_repr_has_the_secret(
    school: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with CaptureQueriesContext(connection) as queries:
        issued = issue(school)
        authenticate(issued.secret_text)
    secret = KeyText.read(issued.secret_text).secret
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_keys::text FROM api_keys")
        (row,) = cursor.fetchone()
    shown = [row, repr(issued), str(issued), repr(issued.key), caplog.text]
    shown += [query["sql"] for query in queries]
    assert not [text for text in shown if secret in text]


def test_typo_is_told_from_a_key_that_nobody_issued(school: Instance) -> None:
    issued = issue(school)
    assert refusal(issued.secret_text[:-1]) is MalformedKey
    assert refusal(issued.secret_text + " ") is MalformedKey
    assert refusal(KeyText.random().write()) is UnknownKey
    guessed = KeyText(issued.key.prefix, KeyText.random().secret).write()
    assert refusal(guessed) is UnknownKey
    api_keys.revoke(key=issued.key, actor=ACTOR)
    assert refusal(guessed) is UnknownKey  # the state is for who has the secret


def test_revoked_key_opens_nothing(school: Instance) -> None:
    issued, other = issue(school), issue(school)
    assert api_keys.revoke(key=issued.key, actor=ACTOR, reason="Leaked")
    assert refusal(issued.secret_text) is RevokedKey
    assert authenticate(other.secret_text) == other.key


def test_key_opens_nothing_from_its_end_on(school: Instance) -> None:
    issued = issue(school, expires_at=NOW + HOUR, at=NOW)
    assert authenticate(issued.secret_text, at=NOW + HOUR - timedelta(microseconds=1))
    assert refusal(issued.secret_text, at=NOW + HOUR) is ExpiredKey


def test_key_opens_what_it_was_issued_for(school: Instance) -> None:
    issued = issue(school, scopes=["orders:read"])
    assert authenticate(issued.secret_text, scope=ApiScope.ORDERS_READ)
    with pytest.raises(MissingScope) as refused:
        authenticate(issued.secret_text, scope=ApiScope.ORDERS_WRITE)
    assert refused.value.scope == ApiScope.ORDERS_WRITE
    assert ApiKey.objects.get().last_used_at is not None


def test_key_of_an_instance_that_is_gone_opens_nothing(school: Instance) -> None:
    text = issue(school).secret_text
    school.delete()
    assert refusal(text) is InstanceDeleted
    school.restore()
    assert authenticate(text)
    Instance.objects.update(status=InstanceStatus.CLOSED)
    assert refusal(text, allow_suspended=True) is InstanceDeleted
    Instance.objects.update(status=InstanceStatus.SUSPENDED)
    assert refusal(text) is InstanceSuspended
    assert authenticate(text, allow_suspended=True)
    Instance.all_objects.all().hard_delete()
    assert refusal(text) is UnknownKey


def test_codes_are_as_documented_and_words_are_there() -> None:
    kinds = [*NotAuthenticated.__subclasses__(), *NotAllowed.__subclasses__()]
    assert sorted(kind.code for kind in kinds) == [
        "instance_deleted",
        "instance_suspended",
        "key_expired",
        "key_malformed",
        "key_revoked",
        "key_unknown",
        "scope_missing",
    ]
    assert all(str(kind.message) for kind in kinds)


def test_use_is_written_once_a_minute(school: Instance) -> None:
    issued = issue(school, at=NOW)
    later = NOW + timedelta(seconds=59)
    for moment, written in [(NOW, NOW), (later, NOW), (NOW + timedelta(minutes=1), None)]:
        key = authenticate(issued.secret_text, at=moment)
        issued.key.refresh_from_db()
        assert issued.key.last_used_at == key.last_used_at == (written or moment)


def test_refused_key_was_not_used(school: Instance) -> None:
    issued = issue(school, expires_at=NOW + HOUR, at=NOW)
    refusal(issued.secret_text, at=NOW + HOUR)
    issued.key.refresh_from_db()
    assert issued.key.last_used_at is None
