"""`manage.py rotate_keys` brings every row to the newest key, and loses no write meanwhile."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from kitehub.db.secrets import KeyState, Secret, keyring
from kitehub.models import Instance
from kitehub.services import secrets
from kitehub.services.secrets import encrypted_columns
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.sealed import (
    NEW,
    OLD,
    in_thread,
    opens,
    store,
    stored,
    token,
    until_somebody_waits_for_a_lock,
    writing,
)

FOREIGN = "Zm9yZWlnbi1rZXktb2YtdGhlLXRlc3RzLTAwMDAwMDA="


@pytest.fixture(autouse=True)
def keys(settings):
    settings.KITEHUB_FIELD_KEYS = [NEW, OLD]


def schools(count: int, key: str = OLD, **fields: object) -> list[Instance]:
    return [
        InstanceFactory(
            database_password=Secret.stored(token(f"s3cret {number}", key), ""), **fields
        )
        for number in range(count)
    ]


def under_old_key(count: int, settings, **fields: object) -> list[Instance]:
    settings.KITEHUB_FIELD_KEYS = [OLD]
    rows = schools(count, **fields)
    settings.KITEHUB_FIELD_KEYS = [NEW, OLD]
    return rows


def rotate_keys(*options: str) -> str:
    out = io.StringIO()
    call_command("rotate_keys", *options, stdout=out)
    return out.getvalue()


def test_the_column_of_the_plan_is_among_those_rotated() -> None:
    assert "instances.database_password" in map(str, encrypted_columns())


# --- One process


@pytest.mark.django_db
def test_all_rows_come_under_the_newest_key_in_batches(settings, monkeypatch) -> None:
    monkeypatch.setattr(secrets, "BATCH", 3)
    rows = under_old_key(7, settings) + under_old_key(1, settings, deleted=True)
    rows += schools(2, NEW)
    before = [stored(row) for row in rows[8:]]
    empty = InstanceFactory(database_password="")
    said = rotate_keys()
    assert "re-encrypted 8 rows." in said
    assert "10 rows under the newest key, 0 under older keys, 0 unreadable." in said
    texts = [f"s3cret {number}" for number in [*range(7), 0, 0, 1]]
    assert [opens(stored(row), NEW) for row in rows] == texts
    assert [stored(row) for row in rows[8:]] == before
    assert stored(empty) == ""
    settings.KITEHUB_FIELD_KEYS = [NEW]
    assert Instance.objects.get(pk=rows[0].pk).database_password.reveal() == "s3cret 0"


@pytest.mark.django_db
def test_the_row_says_that_the_command_changed_it(settings) -> None:
    (row,) = under_old_key(1, settings)
    rotate_keys()
    row.refresh_from_db()
    assert (row.updated_by, row.version) == ("manage.py rotate_keys", 1)


@pytest.mark.django_db
def test_a_second_run_writes_nothing(settings) -> None:
    rows = under_old_key(3, settings)
    rotate_keys()
    before = [stored(row) for row in rows]
    with CaptureQueriesContext(connection) as queries:
        assert "re-encrypted 0 rows." in rotate_keys()
    assert not [query for query in queries if "UPDATE" in query["sql"]]
    assert [stored(row) for row in rows] == before


@pytest.mark.django_db
def test_a_dry_run_counts_and_changes_nothing(settings) -> None:
    rows = under_old_key(3, settings)
    before = [stored(row) for row in rows]
    assert "Would re-encrypt 3 rows. Nothing was changed." in rotate_keys("--dry-run")
    assert [stored(row) for row in rows] == before


@pytest.mark.django_db
def test_check_fails_while_a_row_needs_an_older_key(settings) -> None:
    rows = under_old_key(2, settings)
    before = [stored(row) for row in rows]
    with pytest.raises(CommandError, match="2 rows still under older keys") as error:
        rotate_keys("--check")
    assert error.value.returncode == 1
    assert [stored(row) for row in rows] == before
    rotate_keys()
    assert "2 rows under the newest key" in rotate_keys("--check")


@pytest.mark.django_db
@pytest.mark.parametrize("options", [[], ["--check"]])
@pytest.mark.parametrize("value", [token("x", FOREIGN), "plain text"], ids=["foreign", "plain"])
def test_what_cannot_be_read_is_counted_and_left(options: list[str], value: str) -> None:
    (row,) = schools(1, NEW)
    store(row, value)
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 row can't be read") as error:
        call_command("rotate_keys", *options, stdout=out)
    assert error.value.returncode == 1
    assert stored(row) == value
    assert value not in out.getvalue() + str(error.value)


@pytest.mark.django_db
def test_nothing_but_counts_is_printed(settings) -> None:
    (row,) = under_old_key(1, settings)
    before = stored(row)
    said = rotate_keys("--dry-run") + rotate_keys() + rotate_keys("--check")
    for hidden in (before, stored(row), "s3cret", OLD, NEW, str(row.pk), row.subdomain):
        assert hidden not in said


# --- Against writers


def careless() -> int:
    """Rotation without the guard: what was read is written, whatever came between."""
    rows = list(Instance.objects.values_list("pk", "database_password"))
    for key, secret in rows:
        Instance.objects.filter(pk=key).update(database_password=secret)
    return len(rows)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("rotation", "survivor"),
    [(rotate_keys, "written meanwhile"), (careless, "s3cret 0")],
    ids=["guarded", "control"],
)
def test_a_password_written_meanwhile_survives_only_with_the_guard(
    rotation: Callable[[], object], survivor: str, settings
) -> None:
    row, other = under_old_key(2, settings)
    with writing(row, "written meanwhile") as commit, ThreadPoolExecutor(1) as pool:
        rotating = pool.submit(in_thread, rotation)
        until_somebody_waits_for_a_lock()
        commit()
        said = str(rotating.result(30))
    # The row that came under the newest key meanwhile is not counted.
    assert said == "2" or "re-encrypted 1 row." in said
    assert [opens(stored(it), NEW) for it in (row, other)] == [survivor, "s3cret 1"]


@pytest.mark.django_db(transaction=True)
def test_a_row_in_use_holds_up_no_other_and_a_run_that_failed_goes_on(settings) -> None:
    rows = under_old_key(5, settings)
    with writing(rows[2]) as commit:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        with pytest.raises(OperationalError):
            rotate_keys()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
        states = [keyring().state(stored(row)) for row in rows]
        assert states == [KeyState.NEWEST] * 2 + [KeyState.OLDER] + [KeyState.NEWEST] * 2
        commit()
    assert "re-encrypted 1 row." in rotate_keys()
    assert [opens(stored(row), NEW) for row in rows] == [f"s3cret {n}" for n in range(5)]


@pytest.mark.django_db(transaction=True)
def test_writers_and_rotation_at_once_leave_every_last_password(settings, monkeypatch) -> None:
    monkeypatch.setattr(secrets, "BATCH", 4)
    rows = under_old_key(12, settings)

    def write(row: Instance) -> None:
        for number in range(5):
            Instance.objects.filter(pk=row.pk).update(database_password=f"{row.pk} {number}")

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(in_thread, lambda row=row: write(row)) for row in rows[::2]]
        rotating = pool.submit(in_thread, rotate_keys)
        for task in (*writers, rotating):
            task.result(60)
    assert [opens(stored(row), NEW) for row in rows[::2]] == [f"{row.pk} 4" for row in rows[::2]]
    assert [opens(stored(row), NEW) for row in rows[1::2]] == [
        f"s3cret {n}" for n in range(1, 12, 2)
    ]
    assert "12 rows under the newest key, 0 under older keys" in rotate_keys("--check")
