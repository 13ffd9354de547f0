"""Whoever writes a database password, a token is what is written; and nobody filters by it."""

import pytest
from django.core.exceptions import FieldError
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, CharField, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Upper

from kitehub.db.secrets import EncryptedField, Secret, UnreadableSecret
from kitehub.models import Instance
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.kitehub.db.sealed import NEW, OLD, opens, store, stored

PASSWORD = "mật-khẩu-của-kho"


@pytest.fixture(autouse=True)
def keys(settings, db):
    settings.KITEHUB_FIELD_KEYS = [OLD]


def school(**fields) -> Instance:
    return InstanceFactory(**{"database_password": PASSWORD, **fields})


def reread(row: Instance) -> Instance:
    return Instance.objects.get(pk=row.pk)


# --- Writing


def test_every_way_of_writing_encrypts() -> None:
    created = school()
    Instance.objects.filter(pk=created.pk).update(database_password="by update")
    assert opens(stored(created), OLD) == "by update"
    created.refresh_from_db()
    created.database_password = "by bulk_update"
    other = school(database_password=Secret("another"))
    other.database_password = Secret("by bulk_update too")
    Instance.objects.bulk_update([created, other], ["database_password"])
    assert opens(stored(created), OLD) == "by bulk_update"
    assert opens(stored(other), OLD) == "by bulk_update too"
    bulk = [
        Instance(
            subdomain=f"s{number}",
            organization_name="S",
            owner_id=created.owner_id,
            database_password=f"bulk {number}",
        )
        for number in range(3)
    ]
    Instance.objects.bulk_create(bulk)
    assert [opens(stored(row), OLD) for row in bulk] == ["bulk 0", "bulk 1", "bulk 2"]


def test_update_or_create_takes_it_among_the_defaults() -> None:
    row = school()
    Instance.objects.update_or_create(
        subdomain=row.subdomain, defaults={"database_password": "changed"}
    )
    assert reread(row).database_password == Secret("changed")


def test_a_save_that_changes_nothing_writes_the_same_token() -> None:
    row = reread(school())
    before, version = stored(row), row.version
    row.save()
    assert (stored(row), reread(row).version) == (before, version)


def test_a_row_whose_key_is_lost_can_be_listed_and_saved_and_keeps_its_token(settings) -> None:
    row = school()
    before = stored(row)
    settings.KITEHUB_FIELD_KEYS = [NEW]
    row = Instance.objects.order_by("database_password")[0]
    row.organization_name = "Renamed"
    row.save()
    assert (stored(row), reread(row).organization_name) == (before, "Renamed")


def test_what_cannot_be_read_is_not_copied_to_another_row(settings) -> None:
    row, other = school(), school(database_password="other")
    settings.KITEHUB_FIELD_KEYS = [NEW]
    lost = reread(row).database_password
    before = stored(other)
    for write in (
        lambda: Instance.objects.filter(pk=other.pk).update(database_password=lost),
        lambda: Instance.objects.bulk_update([reread(row)], ["database_password"]),
        lambda: school(database_password=lost),
    ):
        with transaction.atomic(), pytest.raises(UnreadableSecret):
            write()
    assert stored(other) == before


def test_columns_and_conditions_of_encrypted_columns_may_be_written() -> None:
    row, other = school(), school(database_password="other")
    Instance.objects.update(database_password=F("database_password"))
    assert reread(row).database_password.reveal() == PASSWORD
    Instance.objects.update(
        database_password=Case(
            When(pk=row.pk, then=Value(Secret("one"), EncryptedField(max_length=255))),
            default=F("database_password"),
        )
    )
    assert [reread(it).database_password.reveal() for it in (row, other)] == ["one", "other"]


@pytest.mark.parametrize(
    "expression", [F("subdomain"), Value("plain"), Value(Secret("x")), Upper("subdomain")]
)
def test_other_expressions_are_refused(expression) -> None:
    row, owner = school(), UserFactory()
    before = stored(row)
    row.database_password = expression
    for write in (
        lambda: Instance.objects.update(database_password=expression),
        row.save,
        lambda: school(owner=owner, database_password=expression),
    ):
        with transaction.atomic(), pytest.raises(FieldError):
            write()
    assert stored(row) == before


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE instances SET database_password = 'plain'",
        "UPDATE instances SET database_password = subdomain, status = 'ACTIVE'",
        "INSERT INTO instances (subdomain, organization_name, owner_id, database_url,"
        " database_username, database_password) VALUES ('x', 'X', gen_random_uuid(), '', '', 'p')",
    ],
)
def test_the_database_refuses_plain_text_and_shows_no_row(sql: str) -> None:
    school()
    with connection.cursor() as cursor, pytest.raises(IntegrityError) as error:
        cursor.execute(sql)
    assert "database_password takes only encrypted text" in str(error.value)
    assert "Failing row" not in str(error.value)


@pytest.mark.parametrize(
    "hidden",
    [
        ExpressionWrapper(Value("plain", CharField()), EncryptedField(max_length=255)),
        Upper("database_password"),
    ],
)
def test_the_database_refuses_what_an_expression_hides(hidden) -> None:
    school()
    with transaction.atomic(), pytest.raises(IntegrityError, match="takes only encrypted text"):
        Instance.objects.update(database_password=hidden)


def test_an_old_row_in_plain_text_can_still_be_changed_elsewhere() -> None:
    row = school()
    store(row, "plain")
    row = reread(row)
    row.organization_name = "Renamed"
    row.save()
    assert (stored(row), reread(row).organization_name) == ("plain", "Renamed")
    row.database_password = "mended"
    row.save()
    assert opens(stored(row), OLD) == "mended"


# --- Filters


def test_rows_with_and_without_a_password_can_be_told_apart() -> None:
    full, empty = school(), school(database_password="")
    rows = Instance.objects.order_by("pk")
    assert rows.filter(database_password="").get() == empty
    assert rows.filter(database_password__exact=Secret("")).get() == empty
    assert rows.exclude(database_password="").get() == full
    assert rows.filter(Q(database_password__isnull=True)).count() == 0
    assert rows.filter(database_password=None).count() == 0


@pytest.mark.parametrize(
    "lookup",
    [
        *("", "exact", "iexact", "in", "startswith", "contains", "regex", "gt", "range"),
        *("length", "lower__exact", "bogus"),
    ],
)
def test_every_other_filter_is_refused_and_says_why(lookup: str) -> None:
    row = school()
    for rows in (
        Instance.objects.all(),
        Instance.objects.annotate(database=F("database_password")),
    ):
        name = "database" if rows.query.annotations else "database_password"
        name = f"{name}__{lookup}" if lookup else name
        for value in (PASSWORD, Secret(PASSWORD), [PASSWORD], F("subdomain"), stored(row)):
            with pytest.raises(FieldError, match="database_password is encrypted"):
                rows.filter(**{name: value})
    with pytest.raises(FieldError, match="is encrypted"):
        row.owner.instances.filter(Q(database_password=PASSWORD) | Q(subdomain="x"))
