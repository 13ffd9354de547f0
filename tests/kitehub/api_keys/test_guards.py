"""What the database holds every writer of keys to, also SQL."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from kitehub.models import ApiKey
from kitehub.services.api_keys import IssuedKey, revoke
from tests.factories.kitehub import ApiKeyFactory, InstanceFactory
from tests.kitehub.db.records import execute

pytestmark = pytest.mark.django_db
AN = "an@kitehub.test"
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "change",
    [
        "revoked_at = NULL, revoked_by = NULL, revoked_reason = NULL",
        "revoked_at = now() + interval '1 day'",
        "revoked_by = 'nobody'",
        "revoked_reason = NULL",
    ],
)
def test_revoked_key_stays_revoked(issued: IssuedKey, change: str) -> None:
    revoke(key=issued.key, actor=AN, reason="Leaked")
    with pytest.raises(IntegrityError, match="stays revoked"), transaction.atomic():
        execute(f"UPDATE api_keys SET {change}")
    assert ApiKey.objects.get().revoked_by == AN


@pytest.mark.parametrize(
    "change",
    [
        "id = gen_random_uuid()",
        "instance_id = (SELECT max(id::text)::uuid FROM instances WHERE id <> instance_id)",
        "name = 'b'",
        "prefix = 'aaaaaaaaaa'",
        f"secret_hash = '{'0' * 64}'",
        "scopes = '{orders:write}'",
        "created_at = now() + interval '1 day'",
        "created_by = 'nobody'",
        "line_id = gen_random_uuid()",
    ],
)
def test_key_stays_what_it_was_issued_as(issued: IssuedKey, change: str) -> None:
    InstanceFactory()
    before = ApiKey.objects.values().get()
    with pytest.raises(IntegrityError, match="issued as"), transaction.atomic():
        execute(f"UPDATE api_keys SET {change}")
    assert ApiKey.objects.values().get() == before


@pytest.mark.parametrize("change", ["NULL", "expires_at + interval '1 second'"])
def test_end_of_a_key_only_comes_earlier(change: str) -> None:
    ApiKeyFactory(expires_at=timezone.now() + DAY)
    with pytest.raises(IntegrityError, match="earlier"), transaction.atomic():
        execute(f"UPDATE api_keys SET expires_at = {change}")
    execute("UPDATE api_keys SET expires_at = expires_at - interval '1 second'")


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("scopes", "'{}'", "scopes_check"),
        ("scopes", "'{everything}'", "scopes_check"),
        ("scopes", "'{NULL}'", "scopes_check"),
        ("prefix", "'AAAAAAAAAA'", "prefix_check"),
        ("secret_hash", "''", "secret_hash_check"),
        ("prefix", "prefix", "prefix_key"),
        ("instance_id", "(SELECT max(id::text)::uuid FROM instances)", "cannot be replaced"),
    ],
)
def test_impossible_rows_are_refused(
    issued: IssuedKey, column: str, value: str, constraint: str
) -> None:
    InstanceFactory(pk="ffffffff-ffff-4fff-bfff-ffffffffffff")
    row = {
        "id": "gen_random_uuid()",
        "instance_id": "instance_id",
        "name": "name",
        "prefix": "'aaaaaaaaaa'",
        "secret_hash": "secret_hash",
        "scopes": "scopes",
        "created_by": "''",
        "replaces_id": "id",
    }
    row[column] = value
    names, values = ", ".join(row), ", ".join(row.values())
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        execute(f"INSERT INTO api_keys ({names}) SELECT {values} FROM api_keys")
    assert ApiKey.objects.count() == 1


def test_line_is_counted_whatever_the_search_path(issued: IssuedKey) -> None:
    execute("CREATE TEMPORARY TABLE api_keys (LIKE public.api_keys INCLUDING ALL)")
    insert = (
        "INSERT INTO public.api_keys (id, instance_id, name, prefix, secret_hash, scopes,"
        " created_by, replaces_id) SELECT gen_random_uuid(), instance_id, name, %s, secret_hash,"
        " scopes, '', id FROM public.api_keys WHERE prefix = %s"
    )
    try:
        execute(insert, "aaaaaaaaaa", issued.key.prefix)
        with pytest.raises(IntegrityError, match="2 live keys"), transaction.atomic():
            execute(insert, "bbbbbbbbbb", "aaaaaaaaaa")
    finally:
        execute("DROP TABLE pg_temp.api_keys")
