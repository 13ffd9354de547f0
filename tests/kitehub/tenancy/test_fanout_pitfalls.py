"""What goes wrong when SQL is recorded once and replayed: each is kept from happening."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db.models.signals import post_migrate
from pytest_django import DjangoDbBlocker

from kitehub.db.versions import MigrationKey
from kitehub.tenancy.fanout import Result, State, Step, Way
from tests.kitehub.tenancy.fleet import Fleet, fleet
from tests.migrations.later import later

Later = Callable[..., AbstractContextManager[list[MigrationKey]]]
ROW = "INSERT INTO storage_usage (instance_id, limit_bytes) VALUES (gen_random_uuid(), 0)"


@pytest.fixture(scope="module")
def silos(migrated_silo: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Fleet]:
    """Two silos; no test here leaves a migration that another one can meet."""
    with django_db_blocker.unblock(), fleet(migrated_silo, 2) as made:
        for number in range(2):
            made.execute(number, f"{ROW}; {ROW}")
        yield made


@pytest.fixture(autouse=True)
def _forget(silos: Fleet) -> Iterator[None]:
    """The names of the tests' migrations are not recorded from one test to the next."""
    yield
    silos.forget("extra")


@pytest.fixture
def then(tmp_path: Path) -> Later:
    """More migrations of `storage`."""
    return partial(later, "storage", tmp_path)


def run(silos: Fleet) -> list[Result]:
    results = silos.migrate()
    assert [(result.state, result.error) for result in results] == [(State.MIGRATED, "")] * 2
    return results


def ways(results: list[Result]) -> list[tuple[Way, str]]:
    return [(step.way, step.why) for step in results[0].steps]


def test_constant_default_goes_as_sql(silos: Fleet, then: Later) -> None:
    with then(
        a="""operations = [migrations.AddField("storageusage", "extra",
             models.CharField(max_length=9, default="100 %"))]"""
    ) as keys:
        results = run(silos)
        assert run_again(silos) == [State.UP_TO_DATE] * 2
    assert ways(results) == [(Way.SQL, "")]
    assert results[0].done == keys
    assert silos.values("SELECT min(extra) FROM storage_usage") == ["100 %"] * 2
    assert silos.recorded() >= set(keys)


def run_again(silos: Fleet) -> list[State]:
    return [result.state for result in silos.migrate()]


@pytest.mark.parametrize(
    "field",
    [
        "models.UUIDField(default=uuid.uuid4)",
        "models.DateTimeField(auto_now_add=True)",
        "models.CharField(max_length=40, default=lambda: str(uuid.uuid4()))",
    ],
)
def test_default_that_python_makes_is_made_for_each_silo(
    silos: Fleet, then: Later, field: str
) -> None:
    with then(a=f'operations = [migrations.AddField("storageusage", "extra", {field})]'):
        results = run(silos)
    assert ways(results) == [(Way.DJANGO, "a default that Python makes")]
    one, other = silos.values("SELECT min(extra::text) FROM storage_usage")
    assert one != other


def test_nullable_column_that_becomes_required_asks_python_too(silos: Fleet, then: Later) -> None:
    field = 'operations = [migrations.{}Field("storageusage", "extra", models.UUIDField({}))]'
    with then(
        a=field.format("Add", "null=True"),
        b=field.format("Alter", "default=uuid.uuid4"),
    ):
        results = run(silos)
    assert [way for way, _ in ways(results)] == [Way.SQL, Way.DJANGO]
    one, other = silos.values("SELECT min(extra::text) FROM storage_usage")
    assert one != other


def test_run_python_runs_in_every_silo_and_what_it_prints_is_kept(
    silos: Fleet, then: Later
) -> None:
    body = """
def work(apps, schema_editor):
    rows = apps.get_model("storage", "StorageUsage").objects
    print("rows:", rows.using(schema_editor.connection.alias).update(used_bytes=7))
---operations = [migrations.RunPython(work, hints=USAGE)]"""
    with then(a=body):
        results = run(silos)
    assert ways(results) == [(Way.DJANGO, "RunPython")]
    assert [result.notes for result in results] == [["rows: 2"]] * 2
    assert silos.values("SELECT sum(used_bytes) FROM storage_usage") == [14, 14]


def test_data_migration_that_forgets_its_database_is_refused(silos: Fleet, then: Later) -> None:
    body = """
def work(apps, schema_editor):
    apps.get_model("storage", "StorageUsage").objects.update(used_bytes=9)
---operations = [migrations.RunPython(work, hints=USAGE)]"""
    with then(a=body) as keys:
        results = silos.migrate()
    assert {result.state for result in results} == {State.FAILED}
    assert ".using(schema_editor.connection.alias)" in results[0].error
    assert not silos.recorded() & set(keys)


def test_custom_operation_goes_through_django(silos: Fleet, then: Later) -> None:
    body = """
class Mine(migrations.RunSQL):
    pass
---operations = [Mine("SELECT 1", hints=USAGE)]"""
    with then(a=body):
        assert ways(run(silos)) == [(Way.DJANGO, "Mine")]


def test_operation_that_reads_the_database_goes_through_django(silos: Fleet, then: Later) -> None:
    together = 'migrations.AlterUniqueTogether("storageusage", {})'
    with then(
        a=f"operations = [{together.format({('instance_id', 'used_bytes')})}]",
        b=f"operations = [{together.format('set()')}]",
    ):
        results = run(silos)
    assert ways(results) == [(Way.SQL, ""), (Way.DJANGO, "reads the database")]
    found = silos.values("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%used_bytes%uniq'")
    assert found == [0, 0]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE storage_usage SET used_bytes = 5 WHERE '50%s' LIKE '50%%'",
        "UPDATE storage_usage SET used_bytes = 5 -- that is all",
        "UPDATE storage_usage SET used_bytes = 5; -- that is all",
        "UPDATE storage_usage SET used_bytes = 5;",
        "SET LOCAL work_mem = '8MB'; SAVEPOINT s; UPDATE storage_usage SET used_bytes = 5",
    ],
)
def test_sql_arrives_as_it_is_written(silos: Fleet, then: Later, sql: str) -> None:
    with then(a=f"operations = [migrations.RunSQL({sql!r}, hints=USAGE)] * 2"):
        assert ways(run(silos)) == [(Way.SQL, "")]
    assert silos.values("SELECT sum(used_bytes) FROM storage_usage") == [10, 10]


def test_sql_with_parameters_is_merged(silos: Fleet, then: Later) -> None:
    sql = [("UPDATE storage_usage SET used_bytes = %s WHERE 'it''s 1%%' = %s", [6, "it's 1%"])]
    with then(a=f"operations = [migrations.RunSQL({sql!r}, hints=USAGE)]"):
        assert ways(run(silos)) == [(Way.SQL, "")]
    assert silos.values("SELECT sum(used_bytes) FROM storage_usage") == [12, 12]


def test_index_is_built_concurrently_outside_a_transaction(silos: Fleet, then: Later) -> None:
    index = 'models.Index(fields=["used_bytes"], name="later_used")'
    with then(
        a=f'atomic = False\noperations = [BuildIndex("storageusage", {index})]',
        b='operations = [migrations.RemoveIndex("storageusage", "later_used")]',
    ):
        assert ways(run(silos)) == [(Way.DJANGO, "not atomic"), (Way.SQL, "")]


def test_each_migration_has_a_transaction_of_its_own(silos: Fleet, then: Later) -> None:
    """Pending trigger events and new enum values would fail in one that several share."""
    sql = "migrations.RunSQL({!r}, hints=USAGE)"
    with then(
        a=f"operations = [{sql.format('CREATE TYPE later AS ENUM ()')}]",
        b=f"""operations = [{sql.format("ALTER TYPE later ADD VALUE 'new'")}]""",
        c=f"""operations = [{sql.format("SELECT 'new'::later")}]""",
        d=f"operations = [{sql.format('DROP TYPE later')}]",
    ):
        assert [way for way, _ in ways(run(silos))] == [Way.SQL] * 4


def test_extension_is_asked_for_in_each_silo(silos: Fleet, then: Later) -> None:
    """The silo that is looked at first may have it already, and the others not."""
    with then(a='operations = [postgres.CreateExtension("plpgsql")]'):
        assert ways(run(silos)) == [(Way.DJANGO, "CreateExtension")]


def test_migration_of_platform_tables_is_recorded_and_runs_nothing(
    silos: Fleet, then: Later
) -> None:
    body = """
def work(apps, schema_editor):
    raise AssertionError
---operations = [migrations.RunPython(work)]
"""
    platform = 'migrations.RunSQL("no SQL at all", hints={"models": ("kitehub.Instance",)})'
    with then(a=body, b=f"atomic = False\noperations = [{platform}]") as keys:
        results = run(silos)
    assert [(step.way, list(step.migrations)) for step in results[0].steps] == [(Way.RECORD, keys)]
    assert silos.recorded() >= set(keys)


def test_squashed_migration_is_recorded_as_django_records_it(silos: Fleet, then: Later) -> None:
    sql = 'operations = [migrations.RunSQL("SELECT 1", hints=USAGE)]'
    with then(a=sql, squashed=f'replaces = [("storage", "9001_a")]\n{sql}') as keys:
        run(silos)
        assert silos.recorded() >= set(keys)
        silos.execute(0, "DELETE FROM django_migrations WHERE name = '9002_squashed'")
        results = silos.migrate()
    assert [result.state for result in results] == [State.MIGRATED, State.UP_TO_DATE]
    assert [step.way for step in results[0].steps] == [Way.RECORD]
    assert silos.recorded() >= set(keys)


def test_receivers_of_post_migrate_hear_of_each_silo_that_changed(
    silos: Fleet, then: Later
) -> None:
    heard: list[tuple[str, Any]] = []

    def receiver(sender: Any, using: str, apps: Any, **rest: Any) -> None:
        if sender.label == "storage":
            fields = apps.get_model("storage", "StorageUsage")._meta.get_fields()
            heard.append((using, "extra" in {field.name for field in fields}))

    with then(
        a="""operations = [migrations.AddField("storageusage", "extra",
             models.IntegerField(null=True))]"""
    ):
        post_migrate.connect(receiver)
        try:
            run(silos)
            silos.migrate()
        finally:
            post_migrate.disconnect(receiver)
    assert sorted(heard) == sorted((silo.alias, True) for silo in silos.silos)
    tables = silos.values(
        "SELECT count(*) FROM pg_tables WHERE tablename ~ '^(django_content|auth)'"
    )
    assert tables == [0, 0]


def test_step_is_one_transaction(silos: Fleet, then: Later) -> None:
    sql = "migrations.RunSQL({!r}, hints=USAGE)".format
    with then(
        a=f"""operations = [{sql("UPDATE storage_usage SET used_bytes = 99")},
              {sql("SELECT 1 / 0")}]"""
    ) as keys:
        results = silos.migrate()
    steps: tuple[Step, ...] = results[0].steps
    assert [step.way for step in steps] == [Way.SQL]
    assert results[0].error == "storage.9001_a: DataError: division by zero"
    assert silos.values("SELECT count(*) FROM storage_usage WHERE used_bytes = 99") == [0, 0]
    assert not silos.recorded() & set(keys)
