"""`deleted` and `deleted_at` say the same, whichever of them a writer sets; keys stay taken."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.kitehub.db.records import PLAIN, TABLES, Writer, execute, make, reread

pytestmark = pytest.mark.django_db
every_table = pytest.mark.parametrize("table", TABLES)
# An upsert proposes a whole row, so it can't take off one of the two columns alone.
CHANGES = {name: write for name, write in PLAIN.items() if name != "upsert"}
every_writer = pytest.mark.parametrize("write", CHANGES.values(), ids=CHANGES)

THEN = datetime(2026, 1, 30, 9, 0, tzinfo=UTC)
# One key of each table that two rows may not share.
KEYS = {
    "instances": "subdomain",
    "instance_configs": "instance_id",
    "payment_orders": "order_id",
    "subscriptions": "instance_id",
    "branding_jobs": "job_id",
}


@every_table
@every_writer
def test_flag_brings_the_moment_and_takes_it_away(table: str, write: Writer) -> None:
    row, _column, _after = make(table)
    write(row, "deleted", True)
    row = reread(row)
    assert (row.deleted, row.version) == (True, 1)
    assert abs((timezone.now() - row.deleted_at).total_seconds()) < 600
    write(row, "deleted", False)
    row = reread(row)
    assert (row.deleted, row.deleted_at, row.version) == (False, None, 2)


@every_table
@every_writer
def test_moment_brings_the_flag_and_takes_it_away(table: str, write: Writer) -> None:
    row, _column, _after = make(table)
    write(row, "deleted_at", THEN)
    row = reread(row)
    assert (row.deleted, row.deleted_at, row.version) == (True, THEN, 1)
    write(row, "deleted_at", None)
    row = reread(row)
    assert (row.deleted, row.deleted_at, row.version) == (False, None, 2)


@every_table
def test_save_learns_of_both(table: str) -> None:
    row, _column, _after = make(table)
    row.deleted_at = THEN
    row.save()
    assert (row.deleted, row.deleted_at) == (True, THEN)
    row.deleted = False
    row.save()
    assert (row.deleted, row.deleted_at) == (False, None)


@every_table
def test_given_moment_is_kept(table: str) -> None:
    row, _column, _after = make(table)
    execute(f"UPDATE {table} SET deleted = true, deleted_at = %s WHERE id = %s", THEN, row.pk)
    assert reread(row).deleted_at == THEN


@every_table
@pytest.mark.parametrize("given", [{"deleted": True}, {"deleted_at": THEN}], ids=str)
def test_new_row_that_is_deleted_already_agrees_too(table: str, given: dict[str, object]) -> None:
    factory = TABLES[table][0]
    row = reread(factory.create(**given))
    assert row.deleted
    assert row.deleted_at == given.get("deleted_at", row.deleted_at)
    assert row.deleted_at is not None


@every_table
@pytest.mark.parametrize(
    "disagreement", ["deleted = true, deleted_at = NULL", "deleted = false, deleted_at = now()"]
)
def test_database_refuses_rows_that_disagree_past_the_trigger(
    table: str, disagreement: str
) -> None:
    row, _column, _after = make(table)
    # Replication fires no trigger; the constraint holds there too.
    execute("SET LOCAL session_replication_role = replica")
    with pytest.raises(IntegrityError, match=f"{table}_deleted_check"), transaction.atomic():
        execute(f"UPDATE {table} SET {disagreement} WHERE id = %s", row.pk)


@every_table
def test_key_of_a_deleted_row_is_never_used_again(table: str) -> None:
    row, _column, _after = make(table)
    type(row)._base_manager.filter(pk=row.pk).update(deleted=True)
    factory = TABLES[table][0]
    key = KEYS[table]
    with pytest.raises(IntegrityError, match=f"{table}_{key}_key"), transaction.atomic():
        factory.create(**{key: getattr(row, key)})


@every_table
def test_deleted_rows_are_hidden_from_objects_alone(table: str) -> None:
    row, _column, _after = make(table)
    model = type(row)
    assert model.objects.filter(pk=row.pk).exists()
    model.all_objects.filter(pk=row.pk).update(deleted=True)
    assert not model.objects.filter(pk=row.pk).exists()
    assert model.all_objects.filter(pk=row.pk).exists()
