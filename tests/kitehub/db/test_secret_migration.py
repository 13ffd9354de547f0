"""The step to V10 encrypts what is plain, and back, whatever the rows hold and wherever it ends."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext

from kitehub import migrations
from kitehub.db import encryption
from kitehub.db.encryption import EncryptRows
from kitehub.db.secrets import UnreadableSecret
from kitehub.models import Instance
from kitehub.services import roles
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.sealed import (
    NEW,
    OLD,
    in_thread,
    opens,
    store,
    stored,
    token,
    unguarded,
    until_somebody_waits_for_a_lock,
    writing,
)

BEFORE = ("kitehub", "0009_v10_mend_rows")
STEP = ("kitehub", "0010_v10_encrypt_database_passwords")
DOWN = Path(migrations.__file__).parent / "sql" / f"{STEP[1]}.down.sql"


@pytest.fixture(autouse=True)
def keys(settings, db) -> None:
    settings.KITEHUB_FIELD_KEYS = [NEW, OLD]


def school(value: str) -> Instance:
    row = InstanceFactory(database_password="")
    store(row, value)
    return row


def encrypt(*, closing: bool = False) -> None:
    state = MigrationExecutor(connection).loader.project_state(BEFORE)
    step = EncryptRows("instance", "database_password", closing=closing)
    with connection.schema_editor(atomic=False) as editor:
        step.database_forwards("kitehub", editor, state, state)


def decrypt() -> None:
    state = MigrationExecutor(connection).loader.project_state(STEP)
    step = EncryptRows("instance", "database_password")
    with connection.schema_editor(atomic=False) as editor, unguarded():
        step.database_backwards("kitehub", editor, state, state)


def test_plain_text_becomes_a_token_and_tokens_stay_as_they_are() -> None:
    texts = ["s3cret", "ậ" * 42, "gAAAAA", "a" * 100, "gAAAAA" + "!" * 94, "ENC(bwY=)", "null"]
    plain = [school(text) for text in texts]
    tokens = [school(token("x", NEW)), school(token("y", OLD))]
    before = [stored(row) for row in tokens]
    empty = school("")
    encrypt()
    assert [opens(stored(row), NEW) for row in plain] == texts
    assert [stored(row) for row in tokens] == before
    assert stored(empty) == ""


def test_a_run_that_was_killed_goes_on_where_it_was(monkeypatch) -> None:
    monkeypatch.setattr(encryption, "BATCH", 2)
    rows = [school(f"s3cret {number}") for number in range(7)]
    encrypt()
    half = {row.pk: stored(row) for row in rows}
    for row in rows[:3]:
        store(row, "still plain")
    encrypt()
    assert [opens(stored(row), NEW) for row in rows[:3]] == ["still plain"] * 3
    assert [stored(row) for row in rows[3:]] == [half[row.pk] for row in rows[3:]]


def test_what_has_no_one_right_answer_is_left_and_listed_without_its_value(capsys) -> None:
    foreign = token("x", "Zm9yZWlnbi1rZXktb2YtdGhlLXRlc3RzLTAwMDAwMDA=")
    left = [school("l" * 128), school("ậ" * 43), school(foreign)]
    before = [stored(row) for row in left]
    done = school("s3cret")
    encrypt()
    encrypt(closing=True)
    said = capsys.readouterr().out
    assert [stored(row) for row in left] == before
    assert [said.count(str(row.pk)) for row in [*left, done]] == [1, 1, 1, 0]
    assert "encrypted 1 rows" in said
    assert "left 2 rows, longer than the 127 bytes" in said
    assert "left 1 rows, encrypted under a key that is not in KITEHUB_FIELD_KEYS" in said
    assert not [value for value in (*before, "s3cret") if value in said]
    for row in left:
        with pytest.raises(UnreadableSecret, match=str(row.pk)):
            Instance.objects.get(pk=row.pk).database_password.reveal()


def test_the_way_back_restores_the_text_of_every_key() -> None:
    rows = [school(token("x", NEW)), school(token("y", OLD)), school(""), school("l" * 128)]
    decrypt()
    assert [stored(row) for row in rows] == ["x", "y", "", "l" * 128]


def test_the_way_back_changes_nothing_where_a_key_is_missing(settings) -> None:
    rows = [school(token("x", NEW)), school(token("y", OLD))]
    before = [stored(row) for row in rows]
    settings.KITEHUB_FIELD_KEYS = [NEW]
    with pytest.raises(UnreadableSecret, match=str(rows[1].pk)):
        decrypt()
    assert [stored(row) for row in rows] == before


def test_neither_way_shows_plain_text_in_the_log_of_queries() -> None:
    row = school("s3cret")
    with CaptureQueriesContext(connection) as queries:
        encrypt()
        assert stored(row) != "s3cret"
        decrypt()
    assert stored(row) == "s3cret"
    assert "s3cret" not in repr(queries.captured_queries)


def test_what_is_written_before_plain_text_is_refused_is_encrypted_too() -> None:
    loader = MigrationExecutor(connection).loader
    row = school("")
    with connection.schema_editor(atomic=False) as editor:
        for step in loader.get_migration(*STEP).operations[1:]:
            state = loader.project_state(BEFORE)
            step.database_forwards("kitehub", editor, state, state)
            if not stored(row):
                store(row, "just now")
    assert opens(stored(row), NEW) == "just now"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("locking", "survivor"),
    [(True, "written meanwhile"), (False, "s3cret")],
    ids=["guarded", "control"],
)
def test_a_password_written_meanwhile_survives_only_with_the_lock(
    locking: bool, survivor: str, monkeypatch
) -> None:
    row = school("s3cret")
    batch = encryption._Column._batch
    if not locking:
        unlocked = lambda self, after, lock: batch(self, after, lock=False)  # noqa: E731
        monkeypatch.setattr(encryption._Column, "_batch", unlocked)
    with writing(row, "written meanwhile") as commit, ThreadPoolExecutor(1) as pool:
        encrypting = pool.submit(in_thread, encrypt)
        until_somebody_waits_for_a_lock()
        commit()
        encrypting.result(30)
    assert opens(stored(row), NEW) == survivor


@pytest.fixture
def at_head(transactional_db) -> Iterator[None]:
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    roles.sync()  # As post_migrate does: the way back took the roles' rights.


def go(target: tuple[str, str]) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([target])


def test_sqlmigrate_does_not_run_it() -> None:
    row = school("s3cret")
    loader = MigrationExecutor(connection).loader
    state = loader.project_state(BEFORE)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        loader.get_migration(*STEP).apply(state, editor, collect_sql=True)
    assert "CREATE OR REPLACE TRIGGER" in "\n".join(editor.collected_sql)
    assert stored(row) == "s3cret"


def test_the_migration_there_and_back_keeps_column_and_text(at_head: None) -> None:
    def column() -> tuple[str, int, str]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT data_type, character_maximum_length, is_nullable FROM"
                " information_schema.columns WHERE table_name = 'instances'"
                " AND column_name = 'database_password'"
            )
            return cursor.fetchone()

    row = InstanceFactory(database_password="s3cret")
    assert column() == ("character varying", 255, "NO")
    go(BEFORE)
    assert stored(row) == "s3cret"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE instances SET database_password = 'as before V10'")
        cursor.execute("SELECT count(*) FROM pg_proc WHERE proname = 'refuse_plain_text'")
        assert cursor.fetchone() == (0,)
    go(STEP)
    assert opens(stored(row), NEW) == "as before V10"
    assert column() == ("character varying", 255, "NO")


def test_a_step_back_without_the_keys_changes_nothing_and_a_broken_off_one_goes_on(
    at_head: None, settings
) -> None:
    row = InstanceFactory(database_password="s3cret")
    before = stored(row)
    settings.KITEHUB_FIELD_KEYS = [OLD]
    with pytest.raises(UnreadableSecret, match=str(row.pk)):
        go(BEFORE)
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("UPDATE instances SET database_password = 'plain'")
    assert stored(row) == before
    settings.KITEHUB_FIELD_KEYS = [NEW]
    # As if the step had been killed once the trigger was gone.
    with connection.cursor() as cursor:
        cursor.execute(DOWN.read_text())
    go(BEFORE)
    assert stored(row) == "s3cret"
