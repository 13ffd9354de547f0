"""Tenants' tables that the code has no more: their migrations still go to silos."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations import CreateModel, RenameModel
from django.db.migrations.loader import MigrationLoader
from pytest_django import DjangoDbBlocker

from kitehub.tenancy import router
from kitehub.tenancy.fanout import State, Way
from tests.kitehub.tenancy.fleet import Fleet, fleet
from tests.migrations.later import later

THERE = "SELECT count(*) FROM pg_tables WHERE tablename = 'storage_notes'"
MADE = """operations = [migrations.CreateModel("Note", fields=[
    ("id", models.BigAutoField(primary_key=True))], options={"db_table": "storage_notes"})]"""
DROPPED = 'operations = [migrations.DeleteModel("Note")]'
# Platform tables of an app that has tenants' tables, whose models are gone.
GONE_FROM_THE_PLATFORM: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def silo(migrated_silo: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Fleet]:
    with django_db_blocker.unblock(), fleet(migrated_silo, 1) as made:
        yield made


def test_table_of_a_model_that_is_gone_is_made_and_dropped_in_silos(
    silo: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "FORMER", frozenset({"storage.note"}))
    with later("storage", tmp_path, made=MADE):
        (result,) = silo.migrate()
        assert result.state is State.MIGRATED
    assert silo.values(THERE) == [1]
    (tmp_path / "again").mkdir()
    with later("storage", tmp_path / "again", made=MADE, dropped=DROPPED):
        (result,) = silo.migrate()
        assert [step.way for step in result.steps] == [Way.SQL]
    assert silo.values(THERE) == [0]


def test_control_without_its_name_the_migration_is_only_recorded(
    silo: Fleet, tmp_path: Path
) -> None:
    silo.forget()
    with later("storage", tmp_path, made=MADE):
        (result,) = silo.migrate()
    assert [step.way for step in result.steps] == [Way.RECORD]
    assert silo.values(THERE) == [0]


def test_every_model_that_a_migration_ever_made_is_there_or_named_as_gone() -> None:
    there = {model._meta.label_lower for model in apps.get_models()}
    with_tenants = {label.partition(".")[0] for label in router.tenant_labels()}
    ever = set()
    for (app, _), migration in MigrationLoader(None).disk_migrations.items():
        for operation in migration.operations:
            if isinstance(operation, CreateModel):
                ever.add(f"{app}.{operation.name_lower}")
            elif isinstance(operation, RenameModel):
                ever.add(f"{app}.{operation.new_name_lower}")
    gone = {label for label in ever - there if label.partition(".")[0] in with_tenants}
    assert gone == router.FORMER | GONE_FROM_THE_PLATFORM, "name it in kitehub.tenancy.router"
