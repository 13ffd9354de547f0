"""`created_by` and `updated_by` name who acted, for every writer to the five tables of records."""

import pytest
from django.db import connection

from billing.models import PaymentOrder
from kitehub.db.acting import acting
from tests.factories.billing import PaymentOrderFactory
from tests.kitehub.db.records import TABLES, WRITERS, Writer, make, reread

pytestmark = pytest.mark.django_db
every_table = pytest.mark.parametrize("table", TABLES)


def columns(row: object) -> tuple[str | None, str | None]:
    now = reread(row)
    return now.created_by, now.updated_by


@every_table
def test_new_row_names_who_made_it(table: str) -> None:
    with acting("An"):
        row, _column, _after = make(table)
    assert columns(row) == ("An", "An")


@every_table
@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_change_names_who_made_it(table: str, write: Writer) -> None:
    with acting("An"):
        row, column, after = make(table)
    with acting("Bình"):
        write(row, column, after)
    assert columns(row) == ("An", "Bình")


@every_table
def test_who_changes_nothing_is_not_named(table: str) -> None:
    row, column, _after = make(table)
    with acting("An"):
        setattr(row, column, getattr(row, column))
        row.save()
    assert columns(row) == (None, None)


@every_table
def test_writer_that_names_itself_is_believed_where_nobody_acts(table: str) -> None:
    factory = TABLES[table][0]
    row = factory.create(created_by="Hibernate", updated_by="Hibernate")
    assert columns(row) == ("Hibernate", "Hibernate")
    row.updated_by = "Chi"
    row.save()
    assert columns(row) == ("Hibernate", "Chi")


@every_table
def test_imported_rows_keep_their_author(table: str) -> None:
    factory = TABLES[table][0]
    with acting("import"):
        row = factory.create(created_by="An")
    assert columns(row) == ("An", "import")


@every_table
def test_second_save_of_a_new_object_keeps_its_author(table: str) -> None:
    factory, column, _before, after = TABLES[table]
    with acting("An"):
        row = factory.create()
    assert (row.created_by, row.updated_by) == ("An", "An")
    setattr(row, column, after)
    row.save()
    assert columns(row) == ("An", "An")


def test_rows_created_in_bulk_name_their_author_and_know_it() -> None:
    rows = PaymentOrderFactory.build_batch(2, instance=None, user=None)
    for row in rows:
        row.user_id = "00000000-0000-7000-8000-000000000000"
    with acting("An"):
        PaymentOrder.objects.bulk_create(rows)
    assert [columns(row) for row in rows] == [("An", "An")] * 2
    assert [(row.created_by, row.version) for row in rows] == [("An", 0)] * 2


def test_no_migration_is_needed_for_columns_that_are_read_back() -> None:
    for name, path in (("created_by", "CharField"), ("deleted_at", "DateTimeField")):
        field = PaymentOrder._meta.get_field(name)
        assert field.deconstruct()[1] == f"django.db.models.{path}"
        assert field.db_type(connection) == PaymentOrder._meta.get_field(
            "updated_by" if path == "CharField" else "updated_at"
        ).db_type(connection)
